"""What whoever reads a plan must know of how it was made, in words. The codes are routing's own."""

from dispatch.rounds.unserved import Words
from routing import Note, Plan

WORDS: dict[Note, Words] = {
    Note.WITHOUT_COMPILED_SEARCH: Words(
        "服务器上没有装编译的搜索程序：这个方案可以执行，但会多绕路",
        "the compiled search is not installed: the plan can be driven, and is longer than it need be",
    ),
    Note.TRAVEL_TIMES_FELL_BACK: Words(
        "没有取到道路行车时间，改按直线距离估算：到达时间不准，请留余量",
        "street times could not be had and great-circle times were used: arrivals are less certain",
    ),
    Note.NOT_PROVED: Words(
        "第二个求解程序没有照原样接受这个方案，只经过了本系统的独立核验",
        "the second solver did not take the plan as it stands: only our own independent check has passed it",
    ),
}


def notes_of(plan: Plan) -> list[dict[str, str]]:
    return [{"code": note.value, "zh": WORDS[note].zh, "en": WORDS[note].en} for note in plan.notes]

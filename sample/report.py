"""What a person reads when the demo is ready: what was built, the day, the refusals, the promises, where to
look. Chinese first, English beside it; about two screens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, TextIO

from rich.cells import cell_len

from core.refusal import CATALOGUE
from sample.audit import Promise
from sample.unheard import unheard

MOST_CODES = 16
COLUMN = 58
"""Cells of the left one of two columns."""
MOST_BROKEN_SHOWN = 3

COUNTED = {
    "orders": ("订单", "orders booked"),
    "orders for tomorrow": ("明天的订单", "orders for tomorrow, to be planned"),
    "booked by two at once": ("两人同时订一张卡", "cards booked by two people at once: one order each"),
    "booked by a proxy": ("双方同意的代办", "booked by a neighbour whom both had agreed on"),
    "homes let": ("登记了房东的出租户", "homes on file with who lets them"),
    "moved to another slot": ("改约的时段", "bookings moved to another slot"),
    "vouchers verified": ("扫码核对的购气凭证", "vouchers verified by their code"),
    "kept places given to those first": ("优先名额", "kept places given to homes looked after first"),
    "bottles of the days before": ("此前十天一户买的瓶", "bottles one home had in the ten days before"),
    "refused bookings": ("拒绝的订气", "bookings refused"),
    "refused at the counter": ("长宁拒绝的开户、过户", "openings and transfers refused in Changning"),
    "done at the counter": ("青浦办成的开户、过户", "the same done in Qingpu"),
    "faulty bottles found": ("查出的问题瓶", "faulty bottles found out by a scan"),
    "fillings": ("充装", "bottles filled"),
    "refused fillings": ("拒绝的充装", "fillings refused"),
    "overfilled, bled and weighed again": ("过量后抽出重称", "overfilled, bled and weighed again"),
    "found wrong at the gun": ("充装时查出的问题", "found wrong at the gun, and recorded"),
    "receipts": ("供应站收瓶", "bottles received at supply points"),
    "refused on purpose": ("特意试的拒绝", "asked for once to hear the refusal"),
    "scans signed offline": ("断网时手机签名的扫码", "scans a phone signed without a network"),
    "scans sent twice": ("重复发送、答复相同", "scans sent again, answered as before"),
    "bottles held for a contradiction": ("记录矛盾、暂停使用的瓶", "bottles held: their records contradict"),
    "contradictions resolved by a person": ("由人查实的矛盾", "contradictions resolved by a person"),
    "scans declared an error": ("更正的扫码，原记录保留", "scans declared an error, and kept"),
    "copied phones noticed": ("发现的克隆手机", "copied phones noticed"),
    "rosters confirmed": ("确认的排班", "rosters confirmed before the day is planned"),
    "prices of fixed zones": ("测算的固定片区代价", "what fixed zones cost, worked out for a day"),
    "plans": ("配送计划", "plans made and applied"),
    "plans refused": ("人车变了不能执行的计划", "plans refused: their crew had changed"),
    "couriers replaced": ("顶班", "couriers replaced by one in reserve"),
    "scans refused without a binding": ("解除人车后拒绝的扫码", "scans refused after a binding ended"),
    "orders no vehicle could take in the first plan": ("首排装不下的订单", "orders left by a first plan"),
    "positions reported": ("上报的位置", "positions reported, in order, late, and one that cannot be true"),
    "tracks looked at": ("回放的轨迹", "past tracks looked at by the authority, with a reason"),
    "rounds": ("趟次", "rounds driven"),
    "loads": ("装车", "bottles loaded"),
    "refused loads": ("拒绝的装车", "loads refused"),
    "deliveries": ("送达", "bottles handed over"),
    "withheld": ("安检不合格未供", "withheld after a safety check"),
    "wrong door codes": ("门口码输错", "wrong door codes"),
    "refused at the door: empty": ("拒收的他人空瓶", "empties of another card refused"),
    "refused at the door: foreign": ("拒收的外单位瓶", "foreign empties not taken"),
    "refused at the door: label": ("标签损坏的空瓶", "empties with a damaged label refused"),
    "refused at the door: card": ("出示的不是本单的卡", "wrong cards refused"),
    "left at the door": ("无接触交接", "left at the door, photographed, signed for by code"),
    "refused at the door: left": ("不得放门口的", "not to be left at a door"),
    "checks refused": ("拒绝安检未供", "withheld: the check was refused"),
    "checks made after all": ("后来同意的安检", "checks made after all"),
    "nobody home": ("无人在家", "nobody home"),
    "notices received": ("有签收凭证的整改通知", "notices with proof of receipt"),
    "refusals told in writing": (
        "有送达凭证的不予供气告知书",
        "refusals told in writing, with proof of receipt",
    ),
    "bottles brought back": ("回站扫码", "bottles scanned back"),
    "supplied again": ("当天恢复供气", "supplied again the same day"),
    "counts": ("盘点", "counts of a site, full and empty apart"),
    "bottles counted": ("盘点的气瓶", "bottles counted"),
    "differences explained": ("说明了原因的差异", "differences explained"),
    "hazards closed": ("复查销号的隐患", "hazards closed by another's look"),
    "reveals": ("有理由的信息查看", "names revealed with a reason"),
    "tips": ("来源不明瓶、克隆手机、矛盾记录的线索", "tips: strange bottles, copied phones, contradictions"),
}


@dataclass(slots=True)
class DayTold:
    """The day as it is kept beside its database: numbers, refusals and what to show of them."""

    counts: dict[str, int] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    heard: dict[str, list[Any]] = field(default_factory=dict)
    by_code: dict[str, int] = field(default_factory=dict)
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)
    new_year: dict[str, Any] = field(default_factory=dict)
    deeds: int = 0
    digest: str = ""
    sign_ins: list[dict[str, str | None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Built:
    """Of what the world was built."""

    zh: str
    en: str
    number: int


def print_report(
    out: TextIO,
    built: Sequence[Built],
    day: DayTold,
    promises: Sequence[Promise],
    seconds: Mapping[str, float],
) -> None:
    def line(text: str = "") -> None:
        print(text, file=out)

    line()
    line("一、样例世界 / What was built (all synthetic)")
    for pair in _in_pairs([f"{one.number:>5}  {one.zh} / {one.en}" for one in built]):
        line(pair)
    line()
    line("二、2024-06-12，长宁的一天 / A day in Changning")
    counted = [(day.counts[name], *words) for name, words in COUNTED.items() if name in day.counts]
    for pair in _in_pairs([f"{number:>5}  {zh} / {en}" for number, zh, en in counted]):
        line(pair)
    line(f"  {day.deeds:>5}  次请求和答复 / requests and their answers, digest {day.digest[:16]}")
    _print_refusals(line, day)
    line()
    line("四、承诺 / Promises, read back from the database")
    for promise in promises:
        _print_promise(line, promise)
    line()
    line("用时 / Seconds: " + ", ".join(f"{part} {took:.1f}" for part, took in seconds.items()))


def _print_refusals(line: Any, day: DayTold) -> None:
    line()
    line("三、拒绝，都有依据 / Refusals, each with its basis")
    ranked = sorted(day.by_code.items(), key=lambda item: (-item[1], item[0]))
    rows = [f"{times:>5}  {day.examples[code]['rule']}  {code}" for code, times in ranked]
    for pair in _in_pairs(rows[:MOST_CODES]):
        line(pair)
    if others := ranked[MOST_CODES:]:
        rules = " ".join(sorted({day.examples[code]["rule"] for code, _ in others}))
        total = sum(times for _, times in others)
        line(f"  {total:>5}  其他 / of {len(others)} other codes, by rules {rules}")
    for code in ("account.opening_barred", "premises.open_hazard"):
        if code in day.examples:
            _print_example(line, "例 / for example", day.examples[code])
    _print_unheard(line, day)
    if day.new_year:
        _print_example(line, "2025-01-02，另一份世界 / in a copy of the world", day.new_year)
        line("     同一天居民照常订到 / a resident books as before on the same day")


def _print_unheard(line: Any, day: DayTold) -> None:
    """How much of the catalogue the day has heard, and why not the rest."""
    left = unheard(day.by_code)
    line(
        f"  目录里{len(CATALOGUE)}种拒绝，这一天听到{len(CATALOGUE) - sum(map(len, left.values()))}种"
        f" / heard of {len(CATALOGUE)} reasons in the catalogue; not the others:"
    )
    for why, codes in left.items():
        said = f"{why.zh} / {why.en}" if why else "没有试 / not tried"
        line(f"  {len(codes):>5}  {said}: {' '.join(codes)}")


def _in_pairs(texts: Sequence[str]) -> Iterable[str]:
    """Two columns, the left one read first. A Chinese character takes two cells."""
    half = (len(texts) + 1) // 2
    for left, right in zip_longest(texts[:half], texts[half:], fillvalue=""):
        yield f"  {left}{' ' * max(1, COLUMN - cell_len(left))}{right}".rstrip()


def _print_example(line: Any, title: str, reason: Mapping[str, Any]) -> None:
    basis = reason["basis"] or {"document": "—", "article": "", "effective": ""}
    line(f"  {title}: {reason['zh']}")
    line(f"     {reason['en']}")
    line(f"     依据 / basis: {basis['document']} {basis['article']}")


def _print_promise(line: Any, promise: Promise) -> None:
    word = "守住 held  " if promise.is_held else "破了 BROKEN"
    line(f"  {word}  {promise.zh} / {promise.en}")
    line(f"      {promise.looked_at:>5}  {promise.how}")
    for case in promise.broken[:MOST_BROKEN_SHOWN]:
        line(f"              ! {case}")
    if len(promise.broken) > MOST_BROKEN_SHOWN:
        line(f"              ! … {len(promise.broken)} 处 / in all")


def print_addresses(
    out: TextIO, address: str, day: DayTold, tokens: Iterable[tuple[str, str]], clock_stands: str
) -> None:
    """Where to look, as whom, and how to stop."""

    def line(text: str = "") -> None:
        print(text, file=out)

    line()
    line(f"五、请看 / Look for yourself: {address} (时钟停在 / its clock began at {clock_stands})")
    line(f"  {address}/api/openapi.json   接口文档 / the API")
    for what in ("cylinder", "order", "household"):
        line(f"  {address}/api/v1{day.shown[f'trace of a {what}']}")
    line("  六张面孔 / the six faces:")
    for one in day.sign_ins:
        way = (
            f"{one['login']}  {one['password']}"
            if one["login"]
            else f"{one['phone']}  {address}/demo/messages"
        )
        line(f"    {address}{one['path']:<14} {one['face_zh']} {one['face_en']}: {way}")
        line(f"      {one['note_zh']} / {one['note_en']}")
    line("  口令 / tokens, one for each role (Authorization: Bearer …):")
    for name, token in tokens:
        line(f"    {name:<26} {token}")
    line()
    line("  curl -H 'Authorization: Bearer TOKEN' ADDRESS")
    line("按 Ctrl-C 停止 / Ctrl-C stops; 再次 ./lpg demo 几秒即回到此刻 / the next start takes seconds")

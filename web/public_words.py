"""What the public page says of a bottle: one word, what it means, and what to do."""

from typing import NamedTuple

from cylinders.public_queries import Standing


class Said(NamedTuple):
    """``kind`` is colour and shape: good, bad, warn."""

    kind: str
    zh: str
    en: str
    then_zh: str
    then_en: str


CHANGE_IT = (
    "请送气工换一瓶合格的，或打供气企业电话。",
    "Ask the courier for a sound one, or call your supplier.",
)

STANDING: dict[Standing, Said] = {
    Standing.SOUND: Said(
        "good",
        "可以使用",
        "May be used",
        "在检验期和使用年限内，没有被暂停使用。",
        "Inspected, within its life, and not held.",
    ),
    Standing.OVERDUE: Said("bad", "超期未检，不要使用", "Inspection overdue: do not use", *CHANGE_IT),
    Standing.SEIZED: Said(
        "bad",
        "已被监管部门查扣，不要接收",
        "Seized by the authority: do not accept it",
        "查扣的瓶只能报废，不会再供到用户手里。在您手里的话，请反映。",
        "A seized bottle is scrapped and supplied to nobody. If it stands before you, please report it.",
    ),
    Standing.PAST_LIFE: Said("bad", "超过使用年限，不要使用", "Past its life: do not use", *CHANGE_IT),
    Standing.HELD: Said("bad", "暂停使用，不要接收", "Held: do not accept it", *CHANGE_IT),
    Standing.NOT_SOUND: Said(
        "bad", "不符合供应条件，不要接收", "Not fit to be supplied: do not accept it", *CHANGE_IT
    ),
    Standing.AT_INSPECTION: Said(
        "warn",
        "正在送检",
        "At inspection",
        "送检的瓶不应在用户手里。在您手里的话，请反映。",
        "Nobody should be using it now. If it stands before you, please report it.",
    ),
    Standing.SCRAPPED: Said(
        "bad",
        "已报废",
        "Scrapped",
        "这个编码或这张标签已经作废，不再代表任何在用的气瓶。不要接收，请反映。",
        "This code or label is void and stands for no bottle in use. Do not accept it; please report it.",
    ),
    Standing.UNCONFIRMED: Said(
        "bad",
        "无法确认，不要接收",
        "Cannot be confirmed: do not accept it",
        "编码查不到，或标签不是真的。核对一下有没有看错；没看错请反映。",
        "The code is not on file, or the label is not genuine. Check it; if it is right, please report it.",
    ),
}

"""Every "no" about who lets a home; a field that is wrong is said at the field."""

from core.refusal import reason
from evidence.deed import held_by

LETTING_ENDED = reason(
    "letting.ended",
    "S03",
    zh="这份出租登记{ended_on}已经结束",
    en="this letting ended on {ended_on}",
    office=("look_up", "查看现在的出租登记", "look at the letting that stands"),
)
LETTING_MEANWHILE = reason(
    "letting.changed_meanwhile",
    "S02",
    zh="这户的出租登记刚刚被别人改过",
    en="somebody else has just entered who lets this home",
    office=("ask_again", "刷新后再试", "reload and try again"),
)

held_by("uq_letting_living", LETTING_MEANWHILE)

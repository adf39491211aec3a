"""Every "no" about zones, and about drafts of them. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import ASK_AGAIN

ZONES_OVERLAP = reason(
    "zone.overlapping",
    "D03",
    zh="{number}号与{other}号配送范围重叠约{overlap_m2}平方米",
    en="zones {number} and {other} overlap by about {overlap_m2} square metres",
    office=("redraw", "改正边界后重新发布", "mend the border and publish again"),
)
ZONES_OF_OTHERS = reason(
    "zone.of_another_firm",
    "D03",
    zh="现行配送范围中有其他企业的范围，本企业不能单独替换",
    en="the zones in force include other firms' zones: one firm cannot replace them",
    office=("ask_district", "请区级调度发布", "ask a dispatcher of the district to publish"),
)
ZONE_DAY_TAKEN = reason(
    "zone.day_taken",
    "S03",
    zh="已有从这一天起施行的配送范围，或刚刚有人发布",
    en="zones in force from this day stand already, or somebody has just published",
    office=ASK_AGAIN,
)
ZONES_LEAVE_HOMES = reason(
    "zone.leaves_homes_outside",
    "D03",
    zh="有{homes}户现在有配送范围，按新的范围就没有了",
    en="{homes} homes have a zone now and would have none",
    office=("redraw", "把这些户划进某个范围后再发布", "draw these homes into a zone, then publish"),
)
DRAFT_PUBLISHED = reason(
    "zone.draft_published",
    "S03",
    zh="这份草案已经发布过",
    en="this draft was published already",
    office=("new_draft", "另存一份草案后再改", "keep another draft and change that"),
)

held_by("uq_zone_set_district_version", ZONE_DAY_TAKEN)
held_by("uq_zone_set_district_valid_from", ZONE_DAY_TAKEN)
held_by("uq_zone_draft_district_zone_set_id", DRAFT_PUBLISHED)

"""Every "no" about a bottle's codes and labels. A code, once published, keeps its meaning for ever."""

from core.refusal import reason
from evidence.deed import held_by

# S03: one code, one bottle
REGISTERED_ELSEWHERE = reason(
    "identifier.registered_elsewhere",
    "S03",
    zh="这个编码已经由别的单位登记在另一只瓶上，已报监管部门核查",
    en="this code is on file for another firm's bottle; the authority has been told",
    office=(
        "await_authority",
        "隔离这只瓶，拍下钢印，等监管部门查清是谁的",
        "set the bottle aside, photograph its stamps, and wait for the authority to find out whose it is",
    ),
)
CODE_OF_KIND_STANDS = reason(
    "identifier.kind_stands",
    "S03",
    zh="这只瓶已有同类编码（{scheme}），要换先作废旧的",
    en="the bottle has a code of this kind ({scheme}) already: void it first if it is to be replaced",
    office=("void_first", "核对后先作废旧编码", "check, then void the former code"),
)
CODE_VOIDED_ALREADY = reason(
    "identifier.voided_already",
    "S03",
    zh="这个编码已经作废",
    en="this code has been voided already",
    office=("refresh", "刷新后再试", "reload and try again"),
)
COLLISION_STANDS = reason(
    "identifier.collision_stands",
    "S03",
    zh="这个重码已经记下，正等人查清",
    en="this collision is on record and waits for somebody to look into it",
    office=("await_authority", "等监管部门查清", "wait for the authority"),
)
COLLISION_RESOLVED = reason(
    "identifier.collision_resolved",
    "S01",
    zh="这个重码已有结论",
    en="this collision has been resolved",
    office=("refresh", "刷新后再试", "reload and try again"),
)

# S03: labels
LABELS_STAND = reason(
    "label.both_stand",
    "S03",
    zh="这只瓶的两张标签都有效，坏了的请作废换发",
    en="both of this bottle's labels stand: one that is damaged is replaced",
    office=("replace_label", "在这只瓶的标签页上换发", "replace it on the bottle's page of labels"),
)
LABEL_NOT_STANDING = reason(
    "label.not_standing",
    "S01",
    zh="这张标签已经作废",
    en="this label has been voided",
    office=("refresh", "刷新后再试", "reload and try again"),
)

for _constraint, _reason in {
    "uq_cylinder_label_standing": LABELS_STAND,
    "pk_cylinder_label": LABELS_STAND,
    "uq_identifier_collision_open": COLLISION_STANDS,
}.items():
    held_by(_constraint, _reason)

"""What refusals looked at again are called on pages: Chinese, English. For all faces that show them."""

from oversight.review_models import Finding, Ground
from oversight.review_states import ReviewState

Said = tuple[str, str]

GROUNDS: dict[Ground, Said] = {
    Ground.RECORD_WRONG: ("记录的情况不对", "What is on record is wrong"),
    Ground.NOT_OUR_CASE: ("这条规定不适用我家", "The rule is not meant for my case"),
    Ground.HARDSHIP: ("确有困难", "It is a hardship"),
    Ground.WHY: ("请说明理由", "I want the reasons explained"),
}

FINDINGS: dict[Finding, Said] = {
    Finding.RECORD_RIGHT: ("记录核对无误", "the record was checked and is right"),
    Finding.RECORD_MENDED: ("记录有误，已经更正", "the record was wrong and is mended"),
    Finding.RULE_NOT_FOR_CASE: ("这条规定不适用", "the rule is not meant for this case"),
    Finding.HARDSHIP_SHOWN: ("困难属实", "the hardship was shown"),
    Finding.NOT_SHOWN: ("没有证明", "it was not shown"),
    Finding.SAFETY_FIRST: ("涉及安全，不能例外", "safety has no exceptions"),
}

OUTCOMES: dict[ReviewState, Said] = {
    ReviewState.UPHELD: ("维持原决定", "The decision stands"),
    ReviewState.PARTLY: ("部分改正", "It is partly changed"),
    ReviewState.OVERTURNED: ("改正原决定", "It is changed"),
}

TAGS: dict[ReviewState, tuple[str, str, str]] = {
    ReviewState.ASKED: ("warn", "等待受理", "waiting"),
    ReviewState.TAKEN: ("quiet", "正在复核", "being looked at"),
    ReviewState.UPHELD: ("bad", "维持原决定", "the decision stands"),
    ReviewState.PARTLY: ("good", "部分改正", "partly changed"),
    ReviewState.OVERTURNED: ("good", "改正原决定", "changed"),
    ReviewState.WITHDRAWN: ("quiet", "已撤回", "withdrawn"),
}

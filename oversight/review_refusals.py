"""Every "no" about reviews of refusals. Codes keep their meaning for ever."""

from core.refusal import reason

TOO_LATE = reason(
    "review.too_late",
    "J01",
    zh="这次不予办理是{refused_on}作出的，要求复核须在{days}天内提出",
    en="it was refused on {refused_on}; a review is asked for within {days} days",
    office=("ask_again", "请用户重新申请，再有不同意见就可以要求复核", "have the user apply again"),
    resident=(
        "ask_again",
        "可以重新申请一次；再不同意，就可以要求复核",
        "apply again; then you may ask for a review",
    ),
)

ASKED_ALREADY = reason(
    "review.asked_already",
    "J01",
    zh="这次不予办理已经有人要求复核",
    en="a review of this refusal has been asked for already",
    office=("look", "请查看已有的复核", "look at the review that stands"),
    resident=(
        "read_review",
        "请看“不予办理和复核”里的进度",
        "see how far it has come under refusals and reviews",
    ),
)

TOLD_IN_WRITING = reason(
    "refusal.told_in_writing",
    "J01",
    zh="这次不予办理已经出具书面告知，编号{number}",
    en="this refusal was told in writing already: notice {number}",
    office=("look", "请打印已有的那一份", "print the notice that stands"),
)

OVERTURNED = reason(
    "refusal.overturned",
    "J01",
    zh="这次不予办理已由人工复核改正，不再作书面告知",
    en="a review has changed this refusal; it is not told in writing any more",
    office=("answer", "请按复核的答复办理", "do what the answer to the review says"),
)

SAME_PERSON = reason(
    "review.same_person",
    "J02",
    zh="复核要由别人来做：不能由原来办理或提出复核的人答复",
    en="somebody else must decide: not who refused it, and not who asked for the review",
    office=("pass_on", "请转给同事办理", "pass it on to a colleague"),
)

NOT_EXCEPTABLE = reason(
    "review.rule_not_exceptable",
    "J03",
    zh="规定{rule}不能开例外",
    en="rule {rule} has no exceptions",
    office=(
        "uphold",
        "涉及安全或身份的规定只能照办；记录有误的请先更正记录",
        "follow it; where a record is wrong, mend that",
    ),
)

NOT_AMONG_REASONS = reason(
    "review.rule_not_refused",
    "J03",
    zh="规定{rule}不是这次不予办理的理由",
    en="rule {rule} was none of the reasons of this refusal",
    office=("look", "请对照这次的理由", "look at the reasons again"),
)

NOT_YOURS = reason(
    "review.exception_not_yours",
    "J03",
    zh="例外只能由主管部门给",
    en="only the authority gives exceptions",
    office=("pass_on", "请转主管部门答复", "pass it on to the authority"),
)

UPHELD = reason(
    "review.exception_from_upheld",
    "J03",
    zh="维持原决定时不能同时给例外",
    en="a refusal that is upheld gives no exception",
    office=("correct", "请改选结果，或不给例外", "choose another outcome, or give no exception"),
)

TOO_LONG = reason(
    "review.exception_too_long",
    "J03",
    zh="例外最长{days}天，且不能在过去",
    en="an exception lasts at most {days} days, and not into the past",
    office=("correct", "请改日期", "change the day"),
)

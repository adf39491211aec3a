"""Every "no" about an account that passes to another member of the home. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import LOOK_IT_UP

# J04: an account passes to another member of the home
SUCCESSION_OF_BUSINESS = reason(
    "succession.of_business",
    "J04",
    zh="只有居民户可以在户内继承；单位请办过户",
    en="only a home passes within itself; a business changes hands",
    office=("transfer", "单位用户按过户办理", "treat it as a transfer"),
)
SUCCESSION_GROUND = reason(
    "succession.ground_not_named",
    "J04",
    zh="“{ground}”不是本地可以继承的情形",
    en="{ground} is no ground for a succession here",
    office=("explain", "说明规定；可办退户", "explain the rule; the account may be closed"),
)
SUCCESSION_OF_CLOSED = reason(
    "succession.account_closed",
    "J04",
    zh="这一户已退户，没有可继承的账户",
    en="the account is closed: there is nothing to succeed to",
    office=LOOK_IT_UP,
)
SUCCESSION_OVERTAKEN = reason(
    "succession.holder_changed",
    "J04",
    zh="申请之后登记人已经变了",
    en="the registrant has changed since it was asked for",
    office=(
        "ask_again",
        "撤回后按现在的登记人重新申请",
        "withdraw it and ask anew about the present registrant",
    ),
)
SUCCESSION_TO_ERASED = reason(
    "succession.successor_erased",
    "J04",
    zh="继承人的个人信息已经删除",
    en="the personal data of who was to take it over were erased",
    office=(
        "ask_again",
        "撤回后重新登记继承人，再申请",
        "withdraw it, have the person identified anew, and ask again",
    ),
)
SUCCESSION_SAME_PERSON = reason(
    "succession.same_person",
    "J04",
    zh="谁申请的，不能由同一人批准或驳回",
    en="who asked for it neither approves nor rejects it",
    office=("another_person", "请另一位同事或主管部门审批", "let a colleague or the authority decide"),
)
SUCCESSION_ORDER_OPEN = reason(
    "succession.order_open",
    "J04",
    zh="这一户还有{lines}瓶已订没有送完",
    en="{lines} bottles of this home are booked and not done with",
    office=("finish_orders", "先送完或取消，再批准", "have them delivered or cancelled, then approve"),
)
SUCCESSION_ASKED = reason(
    "succession.asked_already",
    "S03",
    zh="这一户已有一份继承申请在办",
    en="a succession of this account is under way",
    office=LOOK_IT_UP,
)

held_by("uq_succession_asked_account", SUCCESSION_ASKED)
held_by("ck_succession_four_eyes", SUCCESSION_SAME_PERSON)

"""Every "no" about people: who they are, signing in, and what may be done with their data.

A code, once published, keeps its meaning for ever.
"""

from core.refusal import Reason, reason
from evidence.deed import held_by
from registry.cures import ASK_AGAIN

# People
NAME_DIFFERS = reason(
    "person.name_differs",
    "A05",
    zh="这个证件已登记，姓名与登记的不一致",
    en="this document is registered under another name",
    office=("see_document", "当面核对证件原件与姓名", "compare the document itself with the name"),
)
DOCUMENT_OF_ANOTHER = reason(
    "person.document_of_another",
    "A05",
    zh="这个证件登记在另一人名下",
    en="this document belongs to another registered person",
    office=("see_document", "当面核对证件原件", "look at the document itself"),
)
DOCUMENT_EXPIRED = reason(
    "person.document_expired",
    "A05",
    zh="证件已于{valid_until}到期",
    en="the document expired on {valid_until}",
    resident=("renew", "请带有效证件再来", "please come back with a valid document"),
    office=("ask_valid", "请用户出示有效证件", "ask for a valid document"),
)
JUST_REGISTERED = reason(
    "person.just_registered",
    "S03",
    zh="这个证件刚刚登记",
    en="this document has just been registered",
    office=ASK_AGAIN,
)

# Signing in, and personal data: N01 to N07
SECOND_FACTOR_STANDS = reason(
    "second_factor.stands",
    "N07",
    zh="您的动态码已经启用",
    en="your second factor is in force already",
    office=(
        "ask_administrator",
        "换手机请找管理员重置",
        "for a new telephone have an administrator reset it",
    ),
)
NOT_CONFIRMED = reason(
    "reveal.not_confirmed",
    "N01",
    zh="查看个人信息前，请在{fresh_minutes}分钟内再核对一次您的密码",
    en="show who you are again first: it holds for {fresh_minutes} minutes",
    office=("confirm", "填一次密码（和动态码）再看", "give your password (and code) and look again"),
)
QUOTA_SPENT = reason(
    "reveal.quota_spent",
    "N02",
    zh="您今天查看个人信息已到上限（{most}次）",
    en="you have seen as many people's data today as one may ({most})",
    office=("ask_colleague", "确有需要的，请同事查看或明天再看", "ask a colleague, or look tomorrow"),
)
PROCESSING_STOPPED = reason(
    "person.processing_stopped",
    "N05",
    zh="此人已要求删除信息，期满（{erase_on}）前只保存、不使用",
    en="this person asked to be erased: until {erase_on} the data are kept and used for nothing",
    office=("leave", "不再查看和使用", "do not look or use"),
)
ERASURE_HELD_BY_ACCOUNT = reason(
    "person.has_open_account",
    "N03",
    zh="名下还有没注销的用气户，不能删除个人信息",
    en="an account that is not closed stands in this name: the data cannot be erased",
    resident=("close_account", "请先办理退户", "close the account first"),
    office=("close_account", "先办理退户", "close the account first"),
)
ERASURE_HELD_BY_UNDECIDED = reason(
    "person.has_undecided",
    "N03",
    zh="还有户内继承或复核没有办结，不能删除个人信息",
    en="a succession or a review of theirs is not decided: the data cannot be erased yet",
    resident=("withdraw_first", "先撤回，或等办结后再申请", "withdraw it, or ask again once it is decided"),
    office=(
        "decide_first",
        "先办结或撤回继承和复核",
        "decide or withdraw the succession and the review first",
    ),
)
REQUEST_DECIDED = reason(
    "privacy_request.decided",
    "S01",
    zh="这项申请已经{state}",
    en="this request is {state} already",
    office=("refresh", "刷新后再看", "reload and look again"),
)
NOTICE_OUTDATED = reason(
    "person.notice_outdated",
    "N06",
    zh="登记前应出示现行的个人信息告知书（{version}）",
    en="before registering, the privacy notice in force ({version}) must be shown",
    office=("show_notice", "出示现行告知书后再登记", "show the notice in force, then register"),
)

HELD: dict[str, Reason] = {"pk_person_document": JUST_REGISTERED}
"""What two people can race on, by the constraint that lets one of them win."""

for _constraint, _reason in HELD.items():
    held_by(_constraint, _reason)

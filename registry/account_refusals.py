"""Every "no" about households and their people, accounts, cards, deposits, the review list.

A code, once published, keeps its meaning for ever.
"""

from core.refusal import Reason, reason
from evidence.deed import held_by
from registry.cures import ASK_AGAIN, LOOK_IT_UP

ASK_REVIEW = (
    "ask_review",
    "确有困难的，可向街镇或供气单位申请人工复核",
    "if this is hard on you, ask the town office or the supplier for a review by a person",
)

# A02, A03: the moratorium on accounts
OPENING_BARRED = reason(
    "account.opening_barred",
    "A02",
    zh="自{since}起不再新开瓶装液化气户（申请日{applied_on}）",
    en="no new bottled-gas accounts since {since} (applied on {applied_on})",
    resident=(
        "ask_pipe_or_electricity",
        "可申请管道天然气或改用电；原户的退户、退押金、补卡、改名、换电话照常办理",
        "ask for piped gas or electricity; closing, refund, a lost card, a corrected name or a new phone "
        "number are still served",
    ),
    office=(
        "offer_conversion",
        "不予开户，告知管道气和电替代办法",
        "do not open it; explain the ways to convert",
    ),
)
TRANSFER_BARRED = reason(
    "account.transfer_barred",
    "A03",
    zh="自{since}起不再办理瓶装液化气过户（申请日{applied_on}）",
    en="bottled-gas accounts may not change hands since {since} (applied on {applied_on})",
    resident=ASK_REVIEW,
    office=(
        "close_instead",
        "不予过户；可办退户；户内继承由一人申请、另一人批准（J04）",
        "refuse; offer closing; within a home a succession is asked by one, approved by another (J04)",
    ),
)

# Premises, households, accounts
ADDRESS_TAKEN = reason(
    "premises.address_taken",
    "S03",
    zh="这个地址刚刚登记",
    en="this address has just been registered",
    office=ASK_AGAIN,
)
HOUSEHOLD_STANDS = reason(
    "household.stands",
    "S03",
    zh="这个地址已有在册的户",
    en="an active household stands at this address",
    office=LOOK_IT_UP,
)
HOUSEHOLD_CLOSED = reason(
    "household.closed",
    "A01",
    zh="这一户已销户",
    en="this household is closed",
    office=("register_again", "重新登记该地址", "register the address again"),
)
ACCOUNT_STANDS = reason(
    "account.stands",
    "S03",
    zh="这一户已有在用的账户",
    en="the household has a live account",
    office=LOOK_IT_UP,
)
REGISTRANT_HAS_ANOTHER = reason(
    "account.registrant_has_another",
    "A06",
    zh="此人已是另一居民户的登记人（一人一户）",
    en="this person is the registrant of another resident account",
    resident=("close_other", "请先办理原户退户", "please close the other account first"),
    office=("close_other", "先办理原户退户", "have the other account closed first"),
)
REGISTRANT_NOT_VERIFIED = reason(
    "account.registrant_not_verified",
    "A05",
    zh="登记人没有通过实名核验，或证件已到期",
    en="the registrant's identity is not verified, or the document has expired",
    office=("verify", "核验有效证件后再办", "verify a valid document first"),
)
REGISTRANT_TOO_YOUNG = reason(
    "account.registrant_too_young",
    "A05",
    zh="登记人未满{min_age_years}周岁",
    en="the registrant is under {min_age_years}",
    office=("adult_registrant", "请由成年家庭成员登记", "an adult of the household should register"),
)
ACCOUNT_NOT_OPEN = reason(
    "account.not_open",
    "A01",
    zh="账户状态为“{state}”，不能办理",
    en="the account is {state}",
    office=("resume", "恢复账户后再办", "resume the account first"),
)
SECOND_CARD = reason(
    "card.household_has_one",
    "A06",
    zh="居民户一户一卡，已有一张卡",
    en="a resident household has one card, and has it",
    resident=("replace_lost", "卡丢了可以补办", "a lost card can be replaced"),
    office=("replace_lost", "如遗失请办理补卡", "if it is lost, replace it"),
)
NO_CONTRACT_FOR_RESIDENT = reason(
    "contract.resident_account",
    "A08",
    zh="供气合同只用于非居民用户",
    en="supply contracts are for non-resident accounts",
    office=("none_needed", "居民户无需合同", "a resident account needs none"),
)

# The review list, the deposit
NOT_TO_REVIEW = reason(
    "account.not_to_review",
    "A02",
    zh="这一户不在复核清单上",
    en="this account is not on the review list",
    office=LOOK_IT_UP,
)
REVIEWED_ALREADY = reason(
    "account.reviewed_already",
    "S03",
    zh="这一户已复核",
    en="this account was reviewed already",
    office=LOOK_IT_UP,
)
DEPOSIT_TOO_SMALL = reason(
    "deposit.too_small",
    "M01",
    zh="押金余额{balance_fen}分，不够支出{amount_fen}分",
    en="the deposit stands at {balance_fen} fen: {amount_fen} fen cannot leave it",
    office=("look_up", "核对押金台账", "check the deposit's lines"),
)
DEPOSIT_OF_CLOSED = reason(
    "deposit.account_closed",
    "M02",
    zh="已退户的用户不再收押金",
    en="no deposit is taken for a closed account",
    office=("refund", "只办退押金", "only give deposits back"),
)
DEPOSIT_RECEIPT_TAKEN = reason(
    "deposit.receipt_taken",
    "S03",
    zh="这张收据已登记",
    en="this receipt is entered already",
    office=LOOK_IT_UP,
)
DEPOSIT_MEANWHILE = reason(
    "deposit.changed_meanwhile",
    "S02",
    zh="这户的押金刚刚被别人改过",
    en="somebody else has just entered a line of this deposit",
    office=ASK_AGAIN,
)

VULNERABILITY_ENDED = reason(
    "vulnerability.ended",
    "S03",
    zh="这一条{ended_on}已经结束",
    en="this reason ended on {ended_on}",
    office=LOOK_IT_UP,
)

HELD: dict[str, Reason] = {
    "pk_account_review": REVIEWED_ALREADY,
    "pk_deposit_line": DEPOSIT_MEANWHILE,
    "uq_deposit_line_district_account_id_kind_receipt_no": DEPOSIT_RECEIPT_TAKEN,
    "uq_premises_district_address_scheme_address_index": ADDRESS_TAKEN,
    "uq_household_active_premises": HOUSEHOLD_STANDS,
    "uq_account_live_household": ACCOUNT_STANDS,
    "uq_resident_registration_active": REGISTRANT_HAS_ANOTHER,
    "uq_card_live_resident_household": SECOND_CARD,
}
"""What two people can race on, by the constraint that lets one of them win."""

for _constraint, _reason in HELD.items():
    held_by(_constraint, _reason)

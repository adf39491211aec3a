"""Every "no" at booking. A code, once published, keeps its meaning for ever."""

from core.refusal import reason

CALL_SUPPLIER = ("call_office", "请联系供气单位办理", "please call the supplier")

# A01: the account
ACCOUNT_MISSING = reason(
    "account.missing",
    "A01",
    zh="没有开户，不能订气",
    en="there is no account to order on",
    resident=CALL_SUPPLIER,
    office=(
        "find_account",
        "核对用户档案；没有户的按开户规定办理",
        "check the user's file; opening has its own rules",
    ),
)
ACCOUNT_SUSPENDED = reason(
    "account.suspended",
    "A01",
    zh="账户已暂停，暂不能订气",
    en="the account is suspended",
    resident=(
        "call_office",
        "请联系供气单位，办完恢复手续即可订气",
        "please call the supplier to have it resumed",
    ),
    office=("resume_account", "查明暂停原因，消除后恢复", "find out why, and resume it once that is settled"),
)
ACCOUNT_CLOSED = reason(
    "account.closed",
    "A01",
    zh="账户已销户，不能订气",
    en="the account is closed",
    resident=CALL_SUPPLIER,
    office=("explain", "告知已销户；重新开户按开户规定办理", "explain it; reopening counts as opening"),
)

# A04: the card
CARD_MISSING = reason(
    "card.missing",
    "A04",
    zh="没有用气卡，不能订气",
    en="there is no card to order on",
    resident=("get_card", "请联系供气单位办卡", "please ask the supplier for a card"),
    office=("issue_card", "核对一户一卡后发卡", "issue a card, one a household"),
)
CARD_NOT_ACTIVE = reason(
    "card.not_active",
    "A04",
    zh="用气卡不可用（{state}）",
    en="the card cannot be used: it is {state}",
    resident=(
        "replace_card",
        "请持身份证件补卡或解锁后再订",
        "bring your document to replace or unblock it, then order",
    ),
    office=("replace_card", "核实身份后补卡或解锁", "check identity, then replace or unblock it"),
)

# A05: who orders
IDENTITY_NOT_VERIFIED = reason(
    "identity.not_verified",
    "A05",
    zh="登记人还没有实名核验",
    en="the registrant's identity has not been verified",
    resident=(
        "verify",
        "请带身份证件到网点核验，或在送气时当面核验",
        "have your document checked at the office",
    ),
    office=("verify", "核验登记人身份证件", "verify the registrant's document"),
)
IDENTITY_EXPIRED = reason(
    "identity.document_expired",
    "A05",
    zh="登记人的证件已于{expired_on}到期",
    en="the registrant's document expired on {expired_on}",
    resident=("verify", "请带新证件核验", "please bring the new document"),
    office=("verify", "核验新证件并更新有效期", "verify the new document"),
)

# A06: one open line a card
CARD_BUSY = reason(
    "card.order_open",
    "A06",
    zh="这张卡还有一单没有完成",
    en="an order on this card is still open",
    resident=("see_order", "请先收完或取消上一单", "please receive or cancel the standing order first"),
    office=("see_order", "查看未完成订单", "look at the open order"),
)

# A07: one bottle a card
QUOTA_FULL = reason(
    "card.quota_full",
    "A07",
    zh="这张卡已有一瓶，只能以旧换新，不能加瓶",
    en="this card already has its bottle: it can be swapped, not added to",
    resident=("order_swap", "请选择换气，送气时交回空瓶", "please order a swap and hand back the empty"),
    office=("order_swap", "改为换气订单", "make it a swap"),
)
NOTHING_TO_SWAP = reason(
    "card.no_bottle_held",
    "A07",
    zh="这张卡名下没有气瓶可换，也没有登记原因",
    en="this card holds no bottle to swap, and no reason is on record",
    resident=("report_loss", "气瓶丢失的请先挂失登记", "if the bottle is lost, report that first"),
    office=(
        "record_exception",
        "核实后登记原因（丢失、首次供气）",
        "verify, and record why: lost, or first supply",
    ),
)

# A08: non-residents' contracts
NO_CONTRACT = reason(
    "contract.none_in_force",
    "A08",
    zh="非居民用户在供气日（{judged_on}）没有有效的供气合同",
    en="a non-resident needs a supply contract in force on {judged_on}",
    resident=("sign_contract", "请先签订供用气合同", "please sign a supply contract first"),
    office=("sign_contract", "签订或续签合同", "sign or renew the contract"),
)
SECOND_SUPPLIER = reason(
    "contract.second_supplier",
    "A08",
    zh="同时与另一家供气单位有合同，不得两家同时供气",
    en="another supplier's contract is in force too: only one may supply at a time",
    resident=("end_other", "请先解除其中一份合同", "please end one of the contracts"),
    office=("end_other", "核实后请用户解除其中一份合同", "verify, and ask the user to end one"),
)

# A09: gap between bookings
TOO_SOON = reason(
    "booking.too_soon",
    "A09",
    zh="距上次订气（{last_booked_on}）不足{gap_days}天，{earliest_on}起可以再订",
    en="less than {gap_days} days since the last booking ({last_booked_on}); possible from {earliest_on}",
    resident=("wait", "请过几天再订", "please order a few days later"),
    office=("explain", "说明间隔规定，改约以后的日子", "explain the gap and offer a later day"),
)

# A10: the slot
SLOT_CLOSED = reason(
    "slot.closed",
    "A10",
    zh="这个时段不接单",
    en="this slot takes no orders",
    resident=("other_slot", "请换一个时段", "please choose another slot"),
    office=("other_slot", "换一个时段", "choose another slot"),
)
SLOT_PAST = reason(
    "slot.past",
    "A10",
    zh="这个时段已经过了",
    en="this slot is over",
    resident=("other_slot", "请换一个时段", "please choose another slot"),
    office=("other_slot", "换一个时段", "choose another slot"),
)
SLOT_FULL = reason(
    "slot.full",
    "A10",
    zh="这个时段已约满（剩{capacity_left}，需{quantity}）",
    en="this slot is full: {capacity_left} left, {quantity} asked",
    resident=("other_slot", "请换一个时段", "please choose another slot"),
    office=("other_slot", "换一个时段", "choose another slot"),
)
SLOT_KEPT = reason(
    "slot.kept_for_others",
    "A10",
    zh="这个时段余下的{kept_left}个名额在{kept_until}前留给重点照顾的家庭",
    en="what is left of this slot ({kept_left}) is kept until {kept_until} for homes looked after first",
    resident=("other_slot", "请换一个时段，或到时再约", "please choose another slot, or come back then"),
    office=(
        "other_slot",
        "换一个时段；独居老人、残疾、重病等先列为重点户",
        "choose another slot; enter who is alone, disabled or ill on the list first",
    ),
)
SLOT_OUTSIDE_HOURS = reason(
    "slot.outside_hours",
    "A10",
    zh="这个时段不在该片区的配送时间内",
    en="this slot is outside the zone's hours",
    resident=("other_slot", "请换一个时段", "please choose another slot"),
    office=("other_slot", "换一个时段", "choose another slot"),
)

# A11: quantity and purpose
PURPOSE_MISSING = reason(
    "booking.purpose_missing",
    "A11",
    zh="没有填写用途",
    en="the purpose is not stated",
    resident=("state_purpose", "请填写用气用途", "please say what the gas is for"),
    office=("state_purpose", "问清用途并填写", "ask and enter it"),
)
QUANTITY_MISSING = reason(
    "booking.quantity_missing",
    "A11",
    zh="没有填写数量",
    en="the quantity is not stated",
    resident=("state_quantity", "请填写订气瓶数", "please say how many bottles"),
    office=("state_quantity", "问清数量并填写", "ask and enter it"),
)

# A12: the supplier's papers
FIRM_LICENCE = reason(
    "firm.no_gas_licence",
    "A12",
    zh="供气单位在供气日（{judged_on}）没有有效的燃气经营许可",
    en="the supplier has no gas business licence in force on {judged_on}",
    resident=("other_supplier", "请向有许可的供气单位订气", "please order from a licensed supplier"),
    office=("renew_licence", "停止接单，办理许可", "stop taking orders and renew the licence"),
)
SITE_PERMIT = reason(
    "site.no_permit",
    "A12",
    zh="供应站点在供气日（{judged_on}）没有有效的许可",
    en="the supply point has no permit in force on {judged_on}",
    resident=CALL_SUPPLIER,
    office=("other_site", "改由有许可的站点供应", "supply from a site that has one"),
)

# A13: weight without a cylinder room
OVER_WEIGHT = reason(
    "booking.over_weight_limit",
    "A13",
    zh="没有专用瓶间，存气不得超过{limit_g}克；这单送到后将达{stored_g}克",
    en="without a cylinder room at most {limit_g} g may be stored; this order would make it {stored_g} g",
    resident=(
        "order_less",
        "请减少瓶数，或设符合要求的瓶间",
        "order fewer bottles, or provide a cylinder room",
    ),
    office=("order_less", "减少瓶数，或核实瓶间后登记", "reduce the order, or verify the cylinder room"),
)
WEIGHT_UNKNOWN = reason(
    "booking.stored_weight_unknown",
    "A13",
    zh="不知道用户现存多少气，无法判断是否超过限量",
    en="nobody knows how much is stored there, so the limit cannot be checked",
    resident=CALL_SUPPLIER,
    courier=("look", "到现场点清后登记", "count on the spot and record it"),
    office=("count_stock", "点清存瓶并登记", "have the bottles counted and recorded"),
)

# A15: a named proxy
NO_CONSENT = reason(
    "proxy.no_consent",
    "A15",
    zh="这不是您名下的卡，登记人没有委托您订气",
    en="this card is not yours, and its registrant has not named you to order for it",
    resident=(
        "ask_consent",
        "请登记人先在“代办”里填您的手机号，您同意后再订；或双方带身份证到网点办",
        "have the registrant name you under Proxies and agree to it, or come to the office together",
    ),
    office=("take_paper", "双方到场签委托书后登记代办人", "have both sign, and record the proxy"),
)
CONSENT_OVER = reason(
    "proxy.consent_over",
    "A15",
    zh="登记人对您的委托已于{valid_until}到期",
    en="the registrant's consent ended on {valid_until}",
    resident=("ask_consent", "请登记人再委托一次", "ask the registrant to name you again"),
    office=("take_paper", "重新办理委托", "have it given anew"),
)
PROXY_NOT_VERIFIED = reason(
    "proxy.not_verified",
    "A15",
    zh="代办人还没有实名核验",
    en="the proxy's own identity has not been verified",
    resident=("verify", "请带身份证件到网点核验", "have your own document checked at the office"),
    office=("verify", "核验代办人的身份证件", "verify the proxy's document"),
)

# A14: what a class of user may have
QUOTA_SPENT = reason(
    "booking.quota_spent",
    "A14",
    zh="{period_days}天内已订{booked}瓶，这类用户最多{most}瓶",
    en="{booked} bottles booked within {period_days} days: this class of user may have {most}",
    resident=(
        "wait",
        "请过几天再订；确有需要的，可要求人工复核",
        "please order later; if you need more, ask for a review by a person",
    ),
    office=(
        "explain",
        "问清用途，疑似倒卖的上报；确有需要的报人工复核",
        "ask what it is for, report a suspected resale; if the need is real, have it reviewed",
    ),
)
QUOTA_UNKNOWN = reason(
    "booking.quota_unknown",
    "A14",
    zh="不知道用户已订或现存多少瓶，无法判断是否超过配额",
    en="nobody knows how much was booked or is stored, so the quota cannot be checked",
    resident=CALL_SUPPLIER,
    office=("count_stock", "点清存瓶并登记", "have the bottles counted and recorded"),
)
TOO_MANY_AT_ONCE = reason(
    "booking.too_many_at_once",
    "A14",
    zh="这单送到后将有{bottles}瓶，这类用户同时最多{most}瓶",
    en="this order would make it {bottles} bottles: this class of user may have {most} at once",
    resident=("order_less", "请减少瓶数，交回空瓶再订", "order fewer, hand back what is empty first"),
    office=("order_less", "减少瓶数，先收回空瓶", "reduce the order, take empties back first"),
)
OVER_CLASS_WEIGHT = reason(
    "booking.over_class_weight",
    "A14",
    zh="这单送到后将存{stored_g}克，这类用户最多{limit_g}克",
    en="this order would make it {stored_g} g stored: this class of user may store {limit_g} g",
    resident=(
        "order_less",
        "请减少瓶数；要存得更多，须另设符合要求的瓶间",
        "order fewer bottles; to store more, a cylinder room that allows it is needed",
    ),
    office=("order_less", "减少瓶数，核实瓶间后再订", "reduce the order, see the cylinder room first"),
)

# --- beside the booking gate: what only the slots and the database say ----------------------------------

SLOT_OTHER_ZONE = reason(
    "slot.other_zone",
    "A10",
    zh="这个时段不属于用户所在的片区",
    en="this slot is not of the zone in which the address lies on that day",
    resident=("other_slot", "请选择本片区的时段", "please choose a slot of your own zone"),
    office=("other_slot", "选用户所在片区的时段", "choose a slot of the address's zone"),
)
SLOT_OTHER_SUPPLIER = reason(
    "slot.other_supplier",
    "A10",
    zh="这个片区由另一家供气单位配送",
    en="this zone is served by another supplier than the account's",
    resident=CALL_SUPPLIER,
    office=(
        "mend_zone",
        "核对片区与用户的供气单位，理顺后再订",
        "see which supplier should serve the address, then order",
    ),
)
NOT_WAITING = reason(
    "order.not_waiting",
    "A10",
    zh="这一单{state}，不能再改时段",
    en="this order is {state}: its slot can no longer be changed",
    resident=(
        "see_order",
        "请看这一单现在的情况；需要用气请重新预约",
        "see how it stands; book again if you need gas",
    ),
    office=("see_order", "查看这一单的现状", "look at the order as it stands"),
)
SLOT_OVERLAPS = reason(
    "slot.overlaps",
    "A10",
    zh="这个片区在这段时间已有时段",
    en="the zone already has a slot within this time",
    office=("other_time", "换一个不重叠的时间", "choose a time that does not overlap"),
)

# A16: without contact
CONTACTLESS_OFF = reason(
    "contactless.not_allowed",
    "A16",
    zh="本地现在不办无接触交接，气瓶须当面交接",
    en="contactless delivery is not allowed here now: bottles are handed over face to face",
    resident=(
        "face_to_face",
        "请取消“无接触交接”再预约，送气时当面交接",
        "book without contactless: it is handed over to you in person",
    ),
    courier=(
        "face_to_face",
        "请当面交接，由住户签收；家里没人的登记“送不成”",
        "hand it over in person; with nobody in, record that it could not be delivered",
    ),
    office=("face_to_face", "改为当面交接再订", "book it to be handed over in person"),
)

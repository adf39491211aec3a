"""Every "no" at the gate of the site and at the user's door. Codes keep their meaning for ever."""

from core.refusal import reason

CALL_DISPATCHER = ("call_dispatcher", "联系调度员处理", "call the dispatcher")

# D01: no rolling sales
NO_ORDER_LINE = reason(
    "load.no_order_line",
    "D01",
    zh="这只满瓶没有对应的订单，不得出站（不得流动销售）",
    en="this full bottle has no order line: it may not leave the site",
    courier=("leave_bottle", "把瓶留在站里，只装有订单的瓶", "leave it; load only bottles that are ordered"),
    office=("bind_order", "先把气瓶与订单对应", "bind the bottle to an order first"),
)

# D02: person, vehicle and device belong together
NO_BINDING = reason(
    "delivery.no_binding",
    "D02",
    zh="此刻没有有效的人车（终端）对应关系",
    en="no binding of this courier, vehicle and device is in force now",
    courier=("bind", "请先扫车码绑定人车，或联系调度员", "scan the vehicle to bind, or call the dispatcher"),
    office=("bind", "核对后办理人车对应", "check, and bind courier, vehicle and device"),
)

# D03: the fixed zone
OUTSIDE_ZONE = reason(
    "delivery.outside_zone",
    "D03",
    zh="地址不在固定配送范围内，也没有调度员批准",
    en="the address lies outside the courier's zone and no dispatcher has approved it",
    courier=("ask_approval", "请调度员批准并写明原因", "ask the dispatcher for approval with a reason"),
    office=("approve_or_reassign", "改派，或写明原因后批准", "reassign it, or approve it with a reason"),
)

# D04: the card at the door
WRONG_CARD = reason(
    "handover.wrong_card",
    "D04",
    zh="出示的卡不是这一单的卡",
    en="the card shown is not the card of this order",
    courier=("ask_card", "请用户出示本单的卡", "ask for the card of this order"),
    resident=("show_card", "请出示订气时用的卡", "please show the card you ordered with"),
    office=("check_order", "核对订单和卡", "check the order and the card"),
)
CARD_NOT_SHOWN = reason(
    "handover.card_not_shown",
    "D04",
    zh="没有出示用气卡",
    en="no card was shown",
    courier=("ask_card", "请用户出示用气卡", "ask for the card"),
    resident=("show_card", "请出示用气卡", "please show your card"),
    office=("check_order", "核对订单和卡", "check the order and the card"),
)
CARD_NOT_ACTIVE = reason(
    "handover.card_not_active",
    "D04",
    zh="这张卡不可用（{state}）",
    en="the card cannot be used: it is {state}",
    courier=CALL_DISPATCHER,
    resident=("replace_card", "请先补卡或解锁", "please have it replaced or unblocked first"),
    office=("replace_card", "核实身份后补卡或解锁", "check identity, then replace or unblock it"),
)

# D05: the safety check
CHECK_MISSING = reason(
    "handover.check_missing",
    "D05",
    zh="这次送气还没有做安检",
    en="the safety check of this visit has not been made",
    courier=("check", "请先完成随瓶安检", "make the safety check first"),
    office=("check", "要求送气工完成安检", "have the courier make the check"),
)
CHECK_REFUSED = reason(
    "handover.check_refused",
    "D05",
    zh="用户拒绝安检，不予供气",
    en="the user refused the safety check: no supply",
    courier=("withhold", "登记拒检，带回气瓶", "record the refusal and take the bottle back"),
    resident=("allow_check", "请配合安检，合格后即可供气", "please allow the check; supply follows at once"),
    office=("written_notice", "书面告知，另约安检", "give written notice and arrange another check"),
)
BLOCKING_FINDING = reason(
    "handover.blocking_finding",
    "D05",
    zh="安检发现须停供的问题：{finding}",
    en="the safety check found what stops supply: {finding}",
    courier=(
        "withhold",
        "能当场整改的改好复查；不能的不予供气并开整改通知",
        "have it mended and re-check, or withhold",
    ),
    resident=("mend", "请整改后预约复查", "please mend it and book a re-check"),
    office=("follow_hazard", "跟踪隐患整改", "follow the hazard until it is mended"),
)

# D06: the empty
EMPTY_FOREIGN = reason(
    "handover.empty_foreign",
    "D06",
    zh="交回的空瓶不是本单位的瓶，不能回收",
    en="the empty offered belongs to another firm and may not be taken",
    courier=("report_foreign", "不要收，拍照上报，请用户找出本卡的瓶", "leave it, photograph and report it"),
    resident=("find_bottle", "请交回本卡名下的空瓶", "please hand back the bottle on your card"),
    office=(
        "resolve_empty",
        "核查外来气瓶来源，处理本卡原瓶去向",
        "trace it, and settle where the card's bottle is",
    ),
)
EMPTY_OF_ANOTHER_CARD = reason(
    "handover.empty_of_another_card",
    "D06",
    zh="交回的空瓶记在别的卡上",
    en="the empty offered is on another card",
    courier=CALL_DISPATCHER,
    resident=("find_bottle", "请交回本卡名下的空瓶", "please hand back the bottle on your card"),
    office=(
        "resolve_empty",
        "查清两张卡的气瓶，登记后处理",
        "find out about both cards' bottles and record it",
    ),
)
EMPTY_TAG_DAMAGED = reason(
    "handover.empty_tag_damaged",
    "D06",
    zh="空瓶标签损坏，认不出是哪一只",
    en="the empty's label is damaged: nobody can tell which bottle it is",
    courier=("record_stamp", "按钢印登记并拍照，走标签损坏流程", "record its stamps with a photograph"),
    office=("relabel", "按钢印核对后换标", "identify it by its stamps and relabel it"),
)
EMPTY_MISSING = reason(
    "handover.empty_missing",
    "D06",
    zh="没有交回空瓶，也没有登记原因",
    en="no empty was handed back and no reason is on record",
    courier=("ask_empty", "请用户交回空瓶；丢失的先登记", "ask for the empty; if lost, have that recorded"),
    resident=("find_bottle", "请交回空瓶；丢失的请先挂失", "please hand back the empty, or report it lost"),
    office=("record_exception", "核实后登记丢失", "verify, and record the loss"),
)

# D07: vehicle and courier
VEHICLE_PERMIT = reason(
    "vehicle.no_permit",
    "D07",
    zh="车辆没有在有效期内的运输许可",
    en="the vehicle has no permit in force",
    courier=("change_vehicle", "换有许可的车", "take a vehicle that has one"),
    office=("renew_permit", "办理车辆许可或换车", "renew the permit or change the vehicle"),
)
COURIER_CERTIFICATE = reason(
    "courier.no_certificate",
    "D07",
    zh="送气工没有在有效期内的从业证书",
    en="the courier has no certificate in force",
    courier=CALL_DISPATCHER,
    office=("change_courier", "换持证人员，安排培训取证", "send a certified courier, and arrange training"),
)
TOO_MANY_BOTTLES = reason(
    "vehicle.too_many_bottles",
    "D07",
    zh="超过车辆核定瓶数（{bottles}，限{limit}）",
    en="more bottles than the vehicle may carry: {bottles}, limit {limit}",
    courier=("load_less", "卸下超出的瓶，分趟送", "unload the excess and make another trip"),
    office=("split_round", "分成两趟", "split the round"),
)
TOO_HEAVY = reason(
    "vehicle.too_heavy",
    "D07",
    zh="超过车辆核定装载量（{load_g}克，限{limit_g}克）",
    en="more than the vehicle may carry: {load_g} g, limit {limit_g} g",
    courier=("load_less", "卸下超出的瓶，分趟送", "unload the excess and make another trip"),
    office=("split_round", "分成两趟", "split the round"),
)
LIMITS_UNKNOWN = reason(
    "vehicle.limits_unknown",
    "D07",
    zh="车辆档案里没有核定瓶数或装载量",
    en="the vehicle's file does not say how much it may carry",
    courier=("change_vehicle", "换档案齐全的车", "take a vehicle whose file is complete"),
    office=("complete_file", "补全车辆档案", "complete the vehicle's file"),
)
SIZE_MAY_NOT_RIDE = reason(
    "vehicle.size_not_allowed",
    "D07",
    zh="这种规格的气瓶不能装这辆车",
    en="a bottle of this size may not ride on this vehicle",
    courier=("change_vehicle", "换能装该规格的车", "take a vehicle that may carry it"),
    office=("change_vehicle", "改派能装该规格的车", "assign a vehicle that may carry it"),
)

# D08: the bottle itself
BOTTLE_REFUSED = reason(
    "delivery.bottle_refused",
    "D08",
    zh="这只瓶本身不能供应：{bottle_refusal}",
    en="the bottle itself may not be supplied: {bottle_refusal}",
    courier=("bring_back", "换一瓶合格的", "take a sound bottle instead"),
    resident=("ask_for_another", "请让送气工换一瓶合格的气瓶", "ask the courier for a sound bottle"),
    office=("rebind", "换绑一只合格的瓶", "bind a sound bottle to the line"),
)

# D09: full, and of the line's type
NOT_FULL = reason(
    "delivery.not_full",
    "D09",
    zh="这只瓶没有记录为满瓶",
    en="this bottle is not on record as full",
    courier=("take_full", "换一只满瓶", "take a full bottle"),
    office=("rebind", "换绑一只满瓶", "bind a full bottle to the line"),
)
WRONG_TYPE = reason(
    "delivery.wrong_type",
    "D09",
    zh="瓶型不对：订的是{ordered}，这只是{loaded}",
    en="wrong type: {ordered} was ordered, this is {loaded}",
    courier=("take_right_type", "换订单上的瓶型", "take the type that was ordered"),
    office=("rebind", "换绑订单上的瓶型", "bind a bottle of the ordered type"),
)

"""Every "no" at the gate of the site and at the user's door. Codes keep their meaning for ever."""

from core.refusal import reason
from evidence.deed import held_by

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

# D10: the courier's training
COURIER_NOT_TRAINED = reason(
    "courier.not_trained",
    "D10",
    zh="送气工没有在有效期内的安全培训记录",
    en="the courier has no safety training in force",
    courier=CALL_DISPATCHER,
    office=(
        "train_courier",
        "换培训合格的人员，安排培训后登记",
        "send a trained courier, and train this one",
    ),
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

# --- the round, the load and the proof: what the gates' pages do not ask -----------------------------------

# T09, T10: the round these acts belong to
ROUND_NOT_STARTED = reason(
    "delivery.round_not_started",
    "T09",
    zh="这趟还没有出车，或已经收车（{state}）",
    en="the round is not being driven: it is {state}",
    courier=("start", "先核对车牌出车", "confirm the vehicle and start the round first"),
    office=("look", "查看趟次状态", "look at the round"),
)
STILL_ON_VEHICLE = reason(
    "round.bottles_on_vehicle",
    "T10",
    zh="车上还有{bottles}只瓶没有交付或回站，不能收车",
    en="{bottles} bottles are still on the vehicle: neither delivered nor received back",
    courier=("bring_back", "把车上的瓶逐只扫码交回站点", "scan every bottle back at the site"),
    office=("receive", "逐只扫码收回，或查清去向", "receive each of them, or find out where it is"),
)

# V01: a bottle is loaded where it stands, for one line, and a line gets one bottle
BOTTLE_NOT_HERE = reason(
    "load.bottle_not_at_site",
    "V01",
    zh="这只瓶不在本站的账上",
    en="this bottle is not on record as standing at this site",
    courier=("leave_bottle", "先请站里扫码收瓶", "have the site receive it first"),
    office=("receive", "扫码收瓶后再装车", "scan it in at the site, then load it"),
)
BOTTLE_LOADED = reason(
    "load.bottle_taken",
    "S03",
    zh="这只瓶已装给另一单",
    en="this bottle is already loaded for another order line",
    courier=("take_another", "换一只瓶", "take another bottle"),
    office=("take_another", "换一只瓶，或先收回", "take another bottle, or receive this one back first"),
)
LINE_LOADED = reason(
    "load.line_taken",
    "S03",
    zh="这一单已经装好一只瓶",
    en="a bottle is already loaded for this order line",
    courier=("next_line", "装下一单", "go on with the next line"),
    office=("look", "查看已装的瓶", "look at the bottle that is loaded"),
)
NOT_ON_VEHICLE = reason(
    "return.not_on_vehicle",
    "V01",
    zh="这只瓶不在这趟车上",
    en="this bottle is not on record as being on this vehicle",
    courier=CALL_DISPATCHER,
    office=("receive", "由站点收瓶登记", "receive it at the site's own desk"),
)

# V02: the bottle at the door is the one loaded for this line
LINE_NOT_LOADED = reason(
    "handover.line_not_loaded",
    "V02",
    zh="这一单没有装车的瓶（{state}）",
    en="no bottle is loaded for this line: it is {state}",
    courier=("look", "查看这一单的状态", "look at this order's state"),
    office=("look", "查看这一单的状态", "look at this order's state"),
)
OTHER_BOTTLE = reason(
    "handover.other_bottle",
    "V02",
    zh="这不是为这一单装的瓶",
    en="this is not the bottle that was loaded for this line",
    courier=("take_loaded", "拿为这一单装的那只瓶", "take the bottle that was loaded for this line"),
    office=("rebind", "需要换瓶的，先登记换绑", "if bottles are to be exchanged, record that first"),
)
LEAK_TEST = reason(
    "handover.leak_test_not_passed",
    "V03",
    zh="接好后没有通过检漏",
    en="the bottle was connected and the leak test was not passed",
    courier=(
        "test_again",
        "关阀拆下；漏点按隐患登记，不能当场消除的不予供气",
        "close and disconnect; record the leak as a finding, and withhold if it cannot be mended",
    ),
    office=("follow_hazard", "跟踪隐患整改", "follow the hazard until it is mended"),
)

# V04: the taker's side of a handover
NO_DOOR_CODE = reason(
    "door_code.none",
    "V04",
    zh="没有可用的签收码（{why}）",
    en="there is no door code to check: {why}",
    courier=("arrive", "请重新点“到达”，让用户看新的签收码", "press “arrived” again for a new code"),
    resident=(
        "see_code",
        "请等送气工到门口后查看签收码",
        "the code appears when the courier is at your door",
    ),
    office=("other_proof", "改用用气卡或签名签收", "use the card or a signature instead"),
)
DOOR_CODE_LOCKED = reason(
    "door_code.locked",
    "V04",
    zh="签收码已输错{wrong_tries}次，本单不能再用签收码",
    en="the door code was wrong {wrong_tries} times and cannot be used for this order any more",
    courier=("other_proof", "改扫用气卡，或让用户签名", "scan the card, or have the user sign"),
    resident=("show_card", "请出示用气卡", "please show your card"),
    office=("call_back", "回访用户核实", "call the user back"),
)
NO_PROOF = reason(
    "handover.no_proof",
    "V04",
    zh="没有住户的签收：没有签收码、用气卡或签名",
    en="the household has not signed for it: no door code, no card, no signature",
    courier=(
        "ask_proof",
        "请住户报签收码、出示用气卡或签名",
        "ask for the door code, the card or a signature",
    ),
    office=("call_back", "回访用户核实", "call the user back"),
)
CARD_QR_WRONG = reason(
    "proof.card_qr_wrong",
    "V04",
    zh="签收所扫的不是本单的卡",
    en="the card scanned as proof is not the card of this line",
    courier=("scan_card", "扫本单的用气卡", "scan the card of this line"),
    office=("check_order", "核对订单和卡", "check the order and the card"),
)
NOTHING_TO_HAND_OVER = reason(
    "door_code.nothing_loaded",
    "V02",
    zh="这一单没有装车的瓶，不能签收",
    en="nothing is loaded for this order: there is nothing to sign for",
    courier=("load", "先装瓶，再到用户家", "load the bottle first"),
    office=("look", "查看这一单的状态", "look at this order's state"),
)
NOTHING_RECEIVED = reason(
    "confirm.nothing_received",
    "S03",
    zh="这一单没有送达记录（{state}），不能确认收到",
    en="nothing of this order is on record as delivered (it is {state}): there is nothing to confirm",
    resident=(
        "see_order",
        "看这一单到了哪一步；有出入就点“有问题”",
        "see how far it is; if that is wrong, report a problem",
    ),
    office=("look", "查看这一单的状态", "look at this order's state"),
)
VISIT_DONE = reason(
    "delivery.line_done",
    "S03",
    zh="这一单已经登记过结果",
    en="the outcome of this line is already on record",
    office=("look", "查看已登记的结果", "look at what is on record"),
)

# Closing an account
CLOSING_LINE_OPEN = reason(
    "closing.line_open",
    "A06",
    zh="还有{lines}瓶气预约了没有送完，不能退户",
    en="{lines} bottles are booked and not delivered yet: the account cannot be closed",
    resident=("cancel_order", "先取消预约，或等送完", "cancel the booking first, or wait for it"),
    office=("cancel_order", "先取消预约，或等送完再退户", "cancel the booking, or close it when it is done"),
)
CLOSING_BOTTLE_HELD = reason(
    "closing.bottle_held",
    "A07",
    zh="还有{bottles}只瓶没有收回，不能退户",
    en="{bottles} bottles have not come back: the account cannot be closed",
    resident=(
        "give_back",
        "把瓶交回供应站或送气工",
        "give the bottle back to the supply point or the courier",
    ),
    office=(
        "take_back",
        "收回气瓶并扫码入库；找不到的先报失",
        "take the bottles back and scan them in; report lost what is not found",
    ),
)

held_by("uq_cylinder_load_active", BOTTLE_LOADED)
held_by("uq_line_load_active", LINE_LOADED)
held_by("uq_delivery_line_done", VISIT_DONE)

# A15: a named proxy at the door
PROXY_MAY_NOT_RECEIVE = reason(
    "proxy.may_not_receive",
    "A15",
    zh="登记人没有委托这位代收，或委托已到期、已结束",
    en="the registrant has not named this person to receive, or it is over",
    resident=(
        "ask_consent",
        "请登记人先在“代办”里委托，或本人在家时再送",
        "have the registrant name them under Proxies, or be in for the delivery",
    ),
    courier=(
        "withhold",
        "不要交给这位；请登记人到场，或带回气瓶",
        "do not hand it over to them: the registrant must be there, or take it back",
    ),
    office=("take_paper", "双方签委托书后登记代办人", "have both sign, and record the proxy"),
)

# A16: left at the door
HAND_OVER = (
    "face_to_face",
    "当面交接，由住户签收；家里没人的登记“送不成”",
    "hand it over in person; with nobody in, record that it could not be delivered",
)
NOT_ORDERED_CONTACTLESS = reason(
    "contactless.not_ordered",
    "A16",
    zh="住户没有选无接触交接，不能放在门口",
    en="the household did not ask for contactless delivery: it may not be left at the door",
    courier=HAND_OVER,
    resident=("face_to_face", "请当面收瓶", "please receive it in person"),
    office=("call_back", "回访用户核实", "call the user back"),
)
NO_DROP_PHOTO = reason(
    "contactless.no_photo",
    "A16",
    zh="放在门口的气瓶没有照片",
    en="there is no photograph of the bottle left at the door",
    courier=("photograph", "拍下放好的气瓶再登记", "photograph the bottle where it stands, then record it"),
    office=("call_back", "回访用户核实", "call the user back"),
)
DROP_WITHOUT_CODE = reason(
    "contactless.code_needed",
    "A16",
    zh="无接触交接只能凭住户的签收码，不能用卡或签名代替",
    en="what is left at the door is signed for by the household's code, not by a card or a signature",
    courier=(
        "ask_code",
        "请住户核对气瓶后报签收码；报不了的当面交接",
        "have the household look at it and tell the code; if they cannot, hand it over in person",
    ),
    office=("call_back", "回访用户核实", "call the user back"),
)

"""Every "no" about plans and rounds. Codes keep their meaning for ever."""

from core.refusal import reason
from evidence.deed import held_by

CALL_DISPATCHER = ("call_dispatcher", "联系调度员处理", "call the dispatcher")

# T01 to T04: what makes a plan
NO_CREW = reason(
    "plan.no_crew",
    "T01",
    zh="{day}这个片区没有人车对应，排不出趟次",
    en="no courier and vehicle are bound to this zone on {day}",
    office=(
        "bind",
        "先为这个片区办理当天的人车对应",
        "bind a courier and a vehicle to the zone for that day",
    ),
)
NOTHING_TO_PLAN = reason(
    "plan.nothing_to_plan",
    "T02",
    zh="{day}这个片区没有待排的订单",
    en="there is no order left to plan in this zone on {day}",
    office=("wait", "有新订单后再排", "plan again when there are orders"),
)
DAY_PAST = reason(
    "plan.day_past",
    "T03",
    zh="{day}已经过去，不能再排",
    en="{day} is past and cannot be planned",
    office=("other_day", "改排今天或以后的日子", "plan today or a later day"),
)
CHECKER_REFUSED = reason(
    "plan.checker_refused",
    "T04",
    zh="排出的方案没有通过独立核验（{violations}处不符），不予保存",
    en="the plan failed the independent check ({violations} faults) and is not stored",
    office=("report", "请再排一次；再次出现请报系统维护人员", "plan again; if it comes back, report it"),
)

# T05 to T07: what makes it the day's plan
STALE = reason(
    "plan.stale",
    "T05",
    zh="方案排好后有订单变了，不能再用：{orders}",
    en="orders have changed since this plan was made: {orders}",
    office=("plan_again", "重新排一次", "make the plan again"),
)
CREW_CHANGED = reason(
    "plan.crew_changed",
    "T06",
    zh="方案排好后人车对应变了，不能再用：{bindings}",
    en="bindings have changed since this plan was made: {bindings}",
    office=("plan_again", "重新排一次", "make the plan again"),
)
CREW_BUSY = reason(
    "plan.crew_busy",
    "T06",
    zh="方案排好后这些人车又派了别的趟次，时间重叠或趟数超过：{bindings}",
    en="these crews have been given other trips since: the times overlap, or they are too many: {bindings}",
    office=("plan_again", "重新排一次", "make the plan again"),
)
SLOT_OVER = reason(
    "plan.slot_over",
    "T05",
    zh="方案排好后有订单的预约时段已经过完，不能再照它送：{orders}",
    en="the slots of these orders have passed since this plan was made: {orders}",
    office=(
        "plan_again",
        "重新排一次；过了时段的单请联系用户改约",
        "plan again; call the users of orders whose slot is over, and book another",
    ),
)
SERVES_NOBODY = reason(
    "plan.serves_nobody",
    "T07",
    zh="这个方案一单也送不了",
    en="this plan serves no order at all",
    office=(
        "see_reasons",
        "看各单送不了的原因，调整人车或时段",
        "see why each is left, and change crews or slots",
    ),
)
ALREADY_APPLIED = reason(
    "plan.already_applied",
    "S03",
    zh="这个片区这天这一波次已有执行的方案",
    en="this zone, day and wave already have an applied plan",
    office=("other_wave", "余下的订单另排一个波次", "plan what is left as another wave"),
)
STOP_TAKEN = reason(
    "plan.order_on_another_round",
    "T05",
    zh="有订单刚被排进别的趟次",
    en="an order has just been put on another round",
    office=("plan_again", "重新排一次", "make the plan again"),
)

# T11 to T14: a day under way, changed
NOT_WAITING = reason(
    "change.order_not_waiting",
    "T11",
    zh="这一单今天不在这个片区等待排送（可能已在趟次上、已取消或不是今天的）",
    en="this order is not waiting here today: it is on a round, cancelled, or for another day",
    office=("look", "查看这一单的现状", "look at the order as it stands"),
)
NO_SUCH_CREW_NOW = reason(
    "change.no_such_crew",
    "T12",
    zh="这个片区现在没有这一组人车当班",
    en="this crew is not on duty in this zone now",
    office=("look", "查看当天的人车对应", "look at the day's bindings"),
)
NOTHING_TO_HAND_ON = reason(
    "change.nothing_to_hand_on",
    "T13",
    zh="这一组人车没有未送的单，不用改派",
    en="this crew has no order left to hand on",
    office=("look", "查看趟次", "look at the round"),
)
NOTHING_UNDER_WAY = reason(
    "change.nothing_under_way",
    "T14",
    zh="这个片区今天还没有执行的方案，请先排送",
    en="no plan of this zone is being driven today: plan it first",
    office=("plan", "先排送", "make and apply a plan"),
)

# T04, T05, T11: a stop put to another place by hand
SEEN_OTHERWISE = reason(
    "move.seen_otherwise",
    "T05",
    zh="您看过之后，这个片区今天的趟次又改过，没有照旧的样子改",
    en="this zone's rounds have been changed since you looked: nothing was done by the old picture",
    office=("look_again", "刷新，看过现在的样子再改", "reload, look at it as it is now, and move again"),
)
NOTHING_TO_MOVE = reason(
    "move.not_here",
    "T11",
    zh="这一单不在可以调整的趟次上，也不在等待排送",
    en="this order is on no round that can be changed here, and does not wait for one",
    office=("look", "查看这一单的现状", "look at the order as it stands"),
)
NO_SUCH_PLACE = reason(
    "move.no_such_place",
    "T05",
    zh="没有这个位置：趟次或排在后面的一户已经变了",
    en="there is no such place: the trip, or the door that was to come after it, has changed",
    office=("look_again", "刷新，看过现在的样子再改", "reload, look at it as it is now, and move again"),
)
STANDS_THERE = reason(
    "move.stands_there",
    "T05",
    zh="这一单已经在这个位置",
    en="this order stands there already",
    office=("other_place", "换一个位置", "choose another place"),
)
ANOTHER_PLACE = ("other_place", "换一个位置、一趟或一辆车", "choose another place, trip or vehicle")
BREAKS_CAPACITY = reason(
    "move.over_capacity",
    "T04",
    zh="第{trip}趟装不下：最多{expected}，会有{found}（含收回的空瓶）",
    en="trip {trip} is too full: {found} of at most {expected} units, empties on the way back among them",
    office=ANOTHER_PLACE,
)
BREAKS_VEHICLE = reason(
    "move.vehicle_not_allowed",
    "T04",
    zh="这辆车不能送这一单：规格不允许，或已指定别的车",
    en="this vehicle may not bring the order: its size is not allowed, or it is bound to another vehicle",
    office=ANOTHER_PLACE,
)
BREAKS_LOADED = reason(
    "move.loaded_elsewhere",
    "T04",
    zh="这一单的瓶已经装在原来那一趟的车上，不能换车、换趟",
    en="the order's bottle is on board for the trip it is on: it changes neither vehicle nor trip",
    office=("leave", "留在原来的车上，或先退回站里", "leave it there, or have the bottle brought back first"),
)
BREAKS_ON_THE_ROAD = reason(
    "move.not_on_board",
    "T04",
    zh="这一趟已经在路上，车上没有这一单的瓶",
    en="this trip is on the road without the order's bottle",
    office=("next_trip", "放到这辆车的下一趟", "put it on the vehicle's next trip"),
)
BREAKS_NEXT_DOOR = reason(
    "move.before_next_door",
    "T04",
    zh="送气工正往下一户去，不能排到那一户前面",
    en="the courier is on the way to the next door: nothing goes before it",
    office=("after", "排到下一户之后", "put it after that door"),
)
BREAKS_TRIPS = reason(
    "move.too_many_trips",
    "T04",
    zh="这辆车最多{expected}趟，会有{found}趟",
    en="the vehicle drives at most {expected} trips: there would be {found}",
    office=ANOTHER_PLACE,
)
BREAKS_SHIFT = reason(
    "move.beyond_shift",
    "T04",
    zh="第{trip}趟在{found}，超出当班时间{expected}",
    en="trip {trip} would be out of the shift: {found} against {expected}",
    office=ANOTHER_PLACE,
)
BREAKS_SLOT = reason(
    "move.slot_missed",
    "T04",
    zh="有一户赶不上：最晚{expected}，要到{found}才开始",
    en="a door would be missed: {expected} at the latest, begun at {found}",
    office=ANOTHER_PLACE,
)
BREAKS_WAY = reason(
    "move.no_way",
    "T04",
    zh="这样走没有路可以到达或返回",
    en="that way there is no road there, or none back",
    office=ANOTHER_PLACE,
)
BREAKS_RULE = reason(
    "move.breaks_rule",
    "T04",
    zh="独立核验不通过",
    en="the independent check refuses it: {code}",
    office=ANOTHER_PLACE,
)

# D03: outside the fixed zone
NOT_ON_A_ROUND = reason(
    "round.order_on_none",
    "D03",
    zh="这一单现在不在任何趟次上，没有可批准的人车",
    en="this order stands on no round now: there is no crew to approve",
    office=("plan", "先排进趟次，再批准", "plan it first, then approve"),
)
APPROVED_ALREADY = reason(
    "round.approved_already",
    "S03",
    zh="这一单在这趟上已经批准过",
    en="this order has been approved on this round already",
    office=("look", "查看趟次", "look at the round"),
)

# A10: another slot for an order
ORDER_PLANNED = reason(
    "order.planned_already",
    "A10",
    zh="这一单已经排进配送趟次，不能再改时段",
    en="this order stands on a round already: its slot can no longer be changed",
    resident=(
        "see_order",
        "当天送不了就取消这一单，再约别的时段；有困难请打用气热线",
        "if that day will not do, cancel it and book another slot, or call the hotline",
    ),
    office=(
        "cancel_and_book",
        "征得用户同意后取消这一单，再约新的时段",
        "cancel it if the user agrees, and book the new slot",
    ),
)

NO_ZONES_TO_DIVIDE = reason(
    "zoning.no_zones",
    "D03",
    zh="这家企业现在没有配送范围，没有可划分的地面",
    en="the firm has no zones in force: there is no ground to divide",
    office=("draw", "先画出一版配送范围", "draw a first set of zones"),
)
NOTHING_TO_WEIGH = reason(
    "zoning.nothing_to_weigh",
    "D03",
    zh="这段时间在企业的配送范围里没有可统计的订单或用户",
    en="there are no orders or homes on the firm's ground to weigh it by",
    office=("other_days", "改统计别的日子，或按用户数划分", "count other days, or weigh by homes"),
)
TOO_FEW_UNITS = reason(
    "zoning.too_many_zones",
    "D03",
    zh="地块不够分成{zones}个片区",
    en="there are not enough units of ground for {zones} zones",
    office=("fewer", "少分几个片区，或改按方格分", "ask for fewer zones, or divide by cells"),
)
GROUND_IS_SHARED = reason(
    "zoning.of_another_firm",
    "D03",
    zh="现行配送范围中有其他企业的范围，本企业不能单独拟新方案",
    en="the zones in force include other firms' zones: one firm cannot propose a new set",
    office=("ask_district", "请区级调度拟方案", "ask a dispatcher of the district to propose"),
)

# D02 and T08 to T10: driving a round
WRONG_VEHICLE = reason(
    "round.wrong_vehicle",
    "D02",
    zh="车牌不对，这不是这趟的车",
    en="this plate is not that of the round's vehicle",
    courier=(
        "other_vehicle",
        "开这趟的车，或联系调度员改派",
        "take this round's vehicle, or call the dispatcher",
    ),
    office=("bind", "核对后重新办理人车对应", "check, and bind courier and vehicle anew"),
)
FALSE_VEHICLE_CODE = reason(
    "round.false_vehicle_code",
    "D02",
    zh="这不是本系统印的车辆码",
    en="this is no vehicle label of ours",
    courier=(
        "type_plate",
        "照车牌输入，并请办公室补印车辆码",
        "type the plate, and have the label printed anew",
    ),
    office=("print_label", "重新打印车辆码", "print the vehicle's label anew"),
)
NO_BINDING = reason(
    "round.no_binding",
    "D02",
    zh="此刻这趟的人车对应不在有效期内",
    en="the binding of this round is not in force now",
    courier=CALL_DISPATCHER,
    office=("bind", "核对后办理人车对应", "check, and bind courier, vehicle and device"),
)
NOT_TODAY = reason(
    "round.not_today",
    "T08",
    zh="这趟是{day}的，今天不能出车",
    en="this round is for {day}, not for today",
    courier=CALL_DISPATCHER,
    office=("plan_again", "按今天重新排", "plan for today"),
)
NOT_STARTED = reason(
    "round.not_started",
    "T09",
    zh="这趟还没有出车，或已经收车（{state}）",
    en="this round is not being driven: it is {state}",
    courier=("start", "先核对车牌出车", "confirm the vehicle and start first"),
    office=("look", "查看趟次状态", "look at the round"),
)
ANOTHER_STARTED = reason(
    "round.another_started",
    "S03",
    zh="这位送气工还有一趟没有收车",
    en="this courier has another round that is not finished",
    courier=("finish", "先把上一趟收车", "finish the other round first"),
    office=("finish", "请送气工先收车", "have the other round finished first"),
)

held_by("pk_zone_approval", APPROVED_ALREADY)

# D03: what fixed zones cost
ONE_ZONE_TO_PRICE = reason(
    "zone_price.one_zone",
    "D03",
    zh="{day}由这个供应站供气的片区不到两个，没有可比的",
    en="fewer than two zones are supplied from here on {day}: there is nothing to compare",
    office=("other_site", "换一个供应站，或换一天", "take another supply site, or another day"),
)
NOTHING_TO_PRICE = reason(
    "zone_price.nothing_booked",
    "D03",
    zh="{day}这些片区没有订单",
    en="nothing is booked in these zones on {day}",
    office=("other_day", "换一天再算", "take another day"),
)
NO_CREW_TO_PRICE = reason(
    "zone_price.no_crew",
    "D03",
    zh="{day}这些片区都没有人车当班",
    en="no crew is on duty in any of these zones on {day}",
    office=("bind", "先办理当天的人车对应或排班", "bind or roster crews for that day first"),
)
TOO_MANY_TO_PRICE = reason(
    "zone_price.too_many",
    "D03",
    zh="这天有{orders}单，一次最多比{most}单",
    en="there are {orders} orders that day; at most {most} are compared at once",
    office=("other_day", "换订单少些的一天", "take a day with fewer orders"),
)

held_by("uq_round_plan_applied", ALREADY_APPLIED)
held_by("uq_round_stop_active_order", STOP_TAKEN)
held_by("uq_round_started_courier", ANOTHER_STARTED)

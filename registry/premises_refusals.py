"""Every "no" about where gas may be used, rule by rule, and about the areas declared free of it.

A code, once published, keeps its meaning for ever.
"""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import LOOK_IT_UP

DO_NOT_SUPPLY = ("withhold", "不予供气，说明原因并上报", "do not supply; explain why and report it")
LOOK_AT_DOOR = ("look", "到现场看清后如实登记", "look on the spot and record what you see")

# P01: piped gas
PIPED_GAS = reason(
    "premises.piped_gas",
    "P01",
    zh="所在小区已通管道气，不供瓶装液化气",
    en="the community has piped gas: no bottled gas is supplied there",
    resident=("convert_to_pipe", "请申请开通管道天然气", "please apply for piped gas"),
    courier=DO_NOT_SUPPLY,
    office=(
        "convert_to_pipe",
        "协助用户转管道气并收回气瓶",
        "help the user to convert and take the bottle back",
    ),
)
PIPED_GAS_UNKNOWN = reason(
    "premises.piped_gas_unknown",
    "P01",
    zh="没有记录所在小区是否已通管道气",
    en="nobody has recorded whether the community has piped gas",
    resident=("call_office", "请联系供气单位核实", "please call the supplier to have it checked"),
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实小区通气情况并登记", "find out and record it"),
)

# P02: lifts
LIFT = reason(
    "premises.lift",
    "P02",
    zh="楼内有电梯，不供瓶装液化气",
    en="the building has a lift: no bottled gas is supplied there",
    resident=("convert", "请改用管道天然气或电", "please convert to piped gas or electricity"),
    courier=DO_NOT_SUPPLY,
    office=(
        "convert",
        "协助用户改用管道气或电，收回气瓶",
        "help the user to convert and take the bottle back",
    ),
)
LIFT_UNKNOWN = reason(
    "premises.lift_unknown",
    "P02",
    zh="没有记录楼内是否有电梯",
    en="nobody has recorded whether the building has a lift",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)

# P03: height
HIGH_RISE = reason(
    "premises.high_rise",
    "P03",
    zh="高层建筑（高{height_m}米，限{limit_m}米），不供瓶装液化气",
    en="a high-rise ({height_m} m, limit {limit_m} m): no bottled gas is supplied there",
    resident=("convert", "请改用管道天然气或电", "please convert to piped gas or electricity"),
    courier=DO_NOT_SUPPLY,
    office=(
        "convert",
        "协助用户改用管道气或电，收回气瓶",
        "help the user to convert and take the bottle back",
    ),
)
HEIGHT_UNKNOWN = reason(
    "premises.height_unknown",
    "P03",
    zh="没有记录建筑高度",
    en="nobody has recorded the height of the building",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)

# P04: below ground, or without air
BELOW_GROUND = reason(
    "premises.below_ground",
    "P04",
    zh="用气场所在地下室、半地下室或不通风的密闭空间（{floor_kind}）",
    en="the gas would be used below ground or without ventilation ({floor_kind})",
    resident=(
        "move_kitchen",
        "请移到地上通风处用气，整改后再订",
        "use gas above ground with ventilation, then order",
    ),
    courier=DO_NOT_SUPPLY,
    office=(
        "order_mending",
        "下发整改通知，复查合格后恢复供气",
        "give notice to mend; resume after a re-check",
    ),
)
FLOOR_UNKNOWN = reason(
    "premises.floor_unknown",
    "P04",
    zh="没有记录用气场所在地上还是地下、是否通风",
    en="nobody has recorded whether gas is used above ground and with ventilation",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)

# P05: garages
GARAGE = reason(
    "premises.garage",
    "P05",
    zh="车库内不得使用瓶装液化气",
    en="bottled gas may not be used in a garage",
    resident=("leave_garage", "请停止在车库用气", "please stop using gas in the garage"),
    courier=DO_NOT_SUPPLY,
    office=("order_mending", "下发整改通知并报街镇", "give notice to mend and tell the town office"),
)
GARAGE_UNKNOWN = reason(
    "premises.garage_unknown",
    "P05",
    zh="没有记录用气场所是否为车库",
    en="nobody has recorded whether the place is a garage",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)

# P06: restaurants on the pipe
CONVERTED = reason(
    "premises.converted_to_pipe",
    "P06",
    zh="这家餐饮单位已改用管道气，不再供瓶装液化气",
    en="this restaurant has been converted to piped gas and gets no more bottles",
    resident=("hand_in", "请把余下的气瓶交回", "please hand in the remaining bottles"),
    courier=DO_NOT_SUPPLY,
    office=("take_back", "收回余瓶，办理退户", "take back the bottles and close the account"),
)
CONVERSION_UNKNOWN = reason(
    "premises.conversion_unknown",
    "P06",
    zh="没有记录这家餐饮单位是否已改用管道气",
    en="nobody has recorded whether this restaurant has been converted to piped gas",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)

# P07: the clear-out of non-residents
CLEARED_OUT = reason(
    "premises.non_resident_cleared",
    "P07",
    zh="非居民用户瓶装液化气供到{last_day}为止，此单供气日为{judged_on}",
    en="non-residents were supplied until {last_day}; this supply would be on {judged_on}",
    resident=(
        "convert",
        "请改用管道天然气或电，可咨询街镇的补贴办法",
        "please convert; ask the town office about subsidy",
    ),
    courier=DO_NOT_SUPPLY,
    office=(
        "close_account",
        "协助改造，收回气瓶，办理退户",
        "help to convert, take the bottles back, close the account",
    ),
)

# P08, P09: where the bottle stands
IN_DINING_AREA = reason(
    "premises.bottle_in_dining_area",
    "P08",
    zh="气瓶放在餐饮场所的就餐区或地下瓶间",
    en="the bottle stands among the tables or in an underground cylinder room",
    resident=(
        "move_bottle",
        "请移到符合要求的地上瓶间",
        "please move it to a proper cylinder room above ground",
    ),
    courier=DO_NOT_SUPPLY,
    office=(
        "order_mending",
        "下发整改通知，复查合格后恢复供气",
        "give notice to mend; resume after a re-check",
    ),
)
IN_LIVED_IN_ROOM = reason(
    "premises.bottle_in_lived_in_room",
    "P09",
    zh="气瓶放在卧室、卫生间等有人居住的房间",
    en="the bottle stands in a bedroom, a bathroom or another room people live in",
    resident=("move_bottle", "请移到单独的厨房", "please move it to a separate kitchen"),
    courier=DO_NOT_SUPPLY,
    office=(
        "order_mending",
        "下发整改通知，复查合格后恢复供气",
        "give notice to mend; resume after a re-check",
    ),
)
SECOND_FIRE = reason(
    "premises.other_fuel_in_room",
    "P09",
    zh="同一房间内还有其他火源或燃料",
    en="another fuel or open flame is used in the same room",
    resident=("one_fuel", "请只保留一种燃料", "please keep one fuel only"),
    courier=DO_NOT_SUPPLY,
    office=(
        "order_mending",
        "下发整改通知，复查合格后恢复供气",
        "give notice to mend; resume after a re-check",
    ),
)
BOTTLE_PLACE_UNKNOWN = reason(
    "premises.bottle_place_unknown",
    "P09",
    zh="没有记录气瓶放在哪里",
    en="nobody has recorded where the bottle stands",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)

# P10: leak alarm
NO_ALARM = reason(
    "premises.no_leak_alarm",
    "P10",
    zh="依规应装燃气泄漏报警装置，现场没有",
    en="a gas leak alarm is required here and there is none",
    resident=("fit_alarm", "请装好报警和切断装置后再订", "have an alarm with cut-off fitted, then order"),
    courier=DO_NOT_SUPPLY,
    office=(
        "order_mending",
        "下发整改通知，复查合格后恢复供气",
        "give notice to mend; resume after a re-check",
    ),
)
ALARM_UNKNOWN = reason(
    "premises.leak_alarm_unknown",
    "P10",
    zh="没有记录是否装了燃气泄漏报警装置",
    en="nobody has recorded whether there is a gas leak alarm",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)

# P11: large bottles and crowded places
LARGE_INDOORS = reason(
    "premises.large_bottle_indoors",
    "P11",
    zh="{nominal_g}克规格的大瓶不得放在室内（专用瓶间除外）",
    en="a bottle of {nominal_g} g may not be installed indoors, except in a dedicated cylinder room",
    resident=(
        "smaller_bottle",
        "请改用小瓶或设专用瓶间",
        "please use smaller bottles or a dedicated cylinder room",
    ),
    courier=DO_NOT_SUPPLY,
    office=("smaller_bottle", "改用小瓶，或核实专用瓶间", "use smaller bottles, or verify the cylinder room"),
)
CROWDED_INDOORS = reason(
    "premises.crowded_indoors",
    "P11",
    zh="人员密集场所室内不得使用瓶装液化气",
    en="no bottle may be used indoors in a crowded place",
    resident=("move_outdoors", "请设符合要求的专用瓶间", "please provide a proper cylinder room"),
    courier=DO_NOT_SUPPLY,
    office=(
        "order_mending",
        "下发整改通知，复查合格后恢复供气",
        "give notice to mend; resume after a re-check",
    ),
)

# P12: hazards
OPEN_HAZARD = reason(
    "premises.open_hazard",
    "P12",
    zh="有{grade}隐患没有整改并复查合格（状态{state}），暂停供气",
    en="a {grade} hazard is not mended and re-checked (it is {state}): supply is stopped",
    resident=(
        "book_recheck",
        "请整改后预约复查，复查合格即恢复供气",
        "mend it and book a re-check; supply resumes after it",
    ),
    courier=("recheck", "先复查隐患，合格后再供气", "re-check the hazard first, then supply"),
    office=("recheck", "督促整改，安排复查", "press for mending and arrange a re-check"),
)
INSPECTION_REFUSED = reason(
    "premises.inspection_refused",
    "P12",
    zh="用户拒绝入户安检，暂停供气",
    en="the user refused the safety check: supply is stopped",
    resident=(
        "book_check",
        "请预约入户安检，检查合格即恢复供气",
        "book a safety check; supply resumes after it",
    ),
    courier=("offer_check", "再次说明并请用户配合安检", "explain again and ask the user to allow the check"),
    office=("written_notice", "书面告知并安排安检", "give written notice and arrange a check"),
)

# P13: let rooms
RENTAL_UNKNOWN = reason(
    "premises.rental_unknown",
    "P13",
    zh="没有记录这里是否出租、怎样出租",
    en="nobody has recorded whether and how the place is let",
    courier=LOOK_AT_DOOR,
    office=("complete_file", "核实并登记", "find out and record it"),
)
LET_ROOM = reason(
    "premises.let_room",
    "P13",
    zh="单间出租或群租的房间（{rental}）不供瓶装液化气",
    en="no bottled gas is supplied to a room let by itself or to a collective ({rental})",
    resident=("use_electricity", "请用电，或请房东统一安排", "please use electricity, or ask the landlord"),
    courier=DO_NOT_SUPPLY,
    office=(
        "tell_landlord",
        "书面告知房东和租客，收回气瓶",
        "tell landlord and tenant in writing and take the bottle back",
    ),
)
RENTAL_CAP_UNKNOWN = reason(
    "premises.rental_cap_unknown",
    "P13",
    zh="没有记录这处农民自建出租房的用瓶控制数",
    en="nobody has recorded how many bottles the village allows in this let farmhouse",
    courier=LOOK_AT_DOOR,
    office=("ask_village", "向村居核实控制数并登记", "ask the village committee and record it"),
)
RENTAL_FULL = reason(
    "premises.rental_full",
    "P13",
    zh="这处出租房已有{house_bottles}瓶的用户，超过控制数{rental_cap}瓶",
    en="the users of this let house may hold {house_bottles} bottles; the village allows {rental_cap}",
    resident=("ask_landlord", "请联系房东或村居调整", "please ask the landlord or the village committee"),
    courier=DO_NOT_SUPPLY,
    office=(
        "close_unused",
        "清理空挂的用户，或请村居核定控制数",
        "close accounts nobody uses, or ask the village to set the number",
    ),
)

# P14: declared areas
LPG_FREE_AREA = reason(
    "premises.lpg_free_area",
    "P14",
    zh="所在区域已公布为禁止或限制使用瓶装液化气区域",
    en="the place lies in an area declared free of bottled gas",
    resident=("convert", "请改用管道天然气或电", "please convert to piped gas or electricity"),
    courier=DO_NOT_SUPPLY,
    office=(
        "convert",
        "协助用户改用管道气或电，收回气瓶",
        "help the user to convert and take the bottle back",
    ),
)
AREA_NOTICE_SHORT = reason(
    "area.notice_too_short",
    "P14",
    zh="从公告到生效只有{days}天，至少要{notice_days}天",
    en="only {days} days lie between notice and effect; there must be {notice_days}",
    office=("later_day", "把生效日往后定", "let it take effect later"),
)
AREA_ENDED = reason(
    "area.ended",
    "P14",
    zh="这个区域已于{ended_on}解除",
    en="this area ended on {ended_on}",
    office=("look_up", "按现行区域办理", "act on the areas that stand"),
)

AREA_NOTICE_TAKEN = reason(
    "area.notice_taken",
    "S03",
    zh="这个公告号已登记了一个区域",
    en="an area with this notice is registered",
    office=LOOK_IT_UP,
)

held_by("uq_free_area_district_notice_no", AREA_NOTICE_TAKEN)

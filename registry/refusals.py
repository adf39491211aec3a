"""Every "no" of the registry: accounts and premises first, then its own books.

A code, once published, keeps its meaning for ever.
"""

from core.refusal import Reason, reason
from evidence.deed import held_by

ASK_REVIEW = (
    "ask_review",
    "确有困难的，可向街镇或供气单位申请人工复核",
    "if this is hard on you, ask the town office or the supplier for a review by a person",
)
DO_NOT_SUPPLY = ("withhold", "不予供气，说明原因并上报", "do not supply; explain why and report it")
LOOK_AT_DOOR = ("look", "到现场看清后如实登记", "look on the spot and record what you see")

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


# --------------------------------------------------------------------------------------------------------
# The registry's own books: what there may be only one of, and whose papers must hold

LOOK_IT_UP = ("look_up", "查找已登记的记录并使用它", "find the record that stands and use it")
ASK_AGAIN = ("ask_again", "刷新后再试", "reload and try again")

# Firms, licences, vehicles
USCC_TAKEN = reason(
    "firm.uscc_taken",
    "S03",
    zh="这个统一社会信用代码已登记",
    en="a firm with this credit code is registered",
    office=LOOK_IT_UP,
)
LICENCE_TAKEN = reason(
    "licence.number_taken",
    "S03",
    zh="同类许可中已有这个证号",
    en="a licence of this kind with this number is registered",
    office=("check_number", "核对许可证号", "check the number against the paper"),
)
PLATE_TAKEN = reason(
    "vehicle.plate_taken",
    "S03",
    zh="这个号牌已登记",
    en="a vehicle with this plate is registered",
    office=LOOK_IT_UP,
)

# Zones
ZONES_OVERLAP = reason(
    "zone.overlapping",
    "D03",
    zh="{number}号与{other}号配送范围重叠约{overlap_m2}平方米",
    en="zones {number} and {other} overlap by about {overlap_m2} square metres",
    office=("redraw", "改正边界后重新发布", "mend the border and publish again"),
)
ZONES_OF_OTHERS = reason(
    "zone.of_another_firm",
    "D03",
    zh="现行配送范围中有其他企业的范围，本企业不能单独替换",
    en="the zones in force include other firms' zones: one firm cannot replace them",
    office=("ask_district", "请区级调度发布", "ask a dispatcher of the district to publish"),
)
ZONE_DAY_TAKEN = reason(
    "zone.day_taken",
    "S03",
    zh="已有从这一天起施行的配送范围，或刚刚有人发布",
    en="zones in force from this day stand already, or somebody has just published",
    office=ASK_AGAIN,
)
ZONES_LEAVE_HOMES = reason(
    "zone.leaves_homes_outside",
    "D03",
    zh="有{homes}户现在有配送范围，按新的范围就没有了",
    en="{homes} homes have a zone now and would have none",
    office=("redraw", "把这些户划进某个范围后再发布", "draw these homes into a zone, then publish"),
)
DRAFT_PUBLISHED = reason(
    "zone.draft_published",
    "S03",
    zh="这份草案已经发布过",
    en="this draft was published already",
    office=("new_draft", "另存一份草案后再改", "keep another draft and change that"),
)

# Bindings
COURIER_BOUND = reason(
    "binding.courier_bound",
    "S03",
    zh="这段时间该送气工已有人车绑定",
    en="the courier is bound already for part of this time",
    office=("end_other", "先结束原绑定，或改时间", "end the other binding first, or change the time"),
)
VEHICLE_BOUND = reason(
    "binding.vehicle_bound",
    "S03",
    zh="这段时间该车辆已有人车绑定",
    en="the vehicle is bound already for part of this time",
    office=("end_other", "先结束原绑定，或换车", "end the other binding first, or take another vehicle"),
)
DEVICE_BOUND = reason(
    "binding.device_bound",
    "S03",
    zh="这段时间该终端已有人车绑定",
    en="the device is bound already for part of this time",
    office=("end_other", "先结束原绑定，或换终端", "end the other binding first, or take another device"),
)
CERTIFICATE_NOT_IN_FORCE = reason(
    "binding.certificate_not_in_force",
    "D07",
    zh="送气工证件有效期{valid_from}至{valid_until}，不能覆盖{from_on}至{until_on}",
    en="the courier's certificate holds {valid_from} to {valid_until}, not all of {from_on} to {until_on}",
    office=("renew", "续证后再绑定，或缩短时间", "renew the certificate, or bind for a shorter time"),
)
BINDING_DOES_NOT_COVER = reason(
    "binding.does_not_cover",
    "S03",
    zh="原绑定自{from_at}至{until_at}，不能覆盖整段替班时间",
    en="the binding holds from {from_at} until {until_at}, not for all of this time",
    office=("change_time", "改替班时间，或另办人车对应", "change the time, or bind anew"),
)
TRAINING_NOT_IN_FORCE = reason(
    "binding.training_not_in_force",
    "D10",
    zh="送气工没有覆盖{from_on}至{until_on}的安全培训记录",
    en="no safety training of the courier holds for all of {from_on} to {until_on}",
    office=("train", "安排培训并登记后再绑定", "have the courier trained, enter it, then bind"),
)
PERMIT_NOT_IN_FORCE = reason(
    "binding.permit_not_in_force",
    "D07",
    zh="车辆许可有效期{valid_from}至{valid_until}，不能覆盖{from_on}至{until_on}",
    en="the vehicle's permit holds {valid_from} to {valid_until}, not all of {from_on} to {until_on}",
    office=("renew", "续办许可后再绑定，或换车", "renew the permit, or take another vehicle"),
)
DEVICE_REVOKED = reason(
    "binding.device_revoked",
    "D02",
    zh="该终端已停用",
    en="the device has been revoked",
    office=("other_device", "换一台在用的终端", "take a device in use"),
)
DEVICE_NOT_BOUND = reason(
    "device.not_bound",
    "D02",
    zh="这台终端没有绑定给您",
    en="this device is not bound to you",
    courier=("ask_binding", "请调度员先办理人车对应", "ask the dispatcher to bind you to it first"),
    office=("bind", "先办理人车对应", "bind courier, vehicle and device first"),
)
DEVICE_HAS_KEY = reason(
    "device.has_key",
    "S03",
    zh="这台终端已有另一把密钥；重装的手机按新终端登记",
    en="this device has another key already; a phone set up anew is a new device",
    courier=("new_device", "请办公室登记一台新终端", "ask the office to enter a new device"),
    office=("new_device", "停用旧终端，登记新终端", "revoke the old device and enter a new one"),
)
BINDING_ENDED = reason(
    "binding.ended",
    "S01",
    zh="这个绑定已经结束",
    en="this binding has ended",
    office=ASK_AGAIN,
)

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

# Imports
ROW_WRONG = reason(
    "import.row_wrong",
    "S05",
    zh="第{row}行{pointer}填写有误（{fault}）",
    en="row {row}: {pointer} is wrong ({fault})",
    office=("mend_file", "改正该行后重新导入", "mend the row and import again"),
)


AGENCY_TAKEN = reason(
    "agency.approval_taken",
    "S03",
    zh="这家检验机构或这个核准证号已登记",
    en="this agency, or an agency with this approval, is registered",
    office=LOOK_IT_UP,
)
AREA_NOTICE_TAKEN = reason(
    "area.notice_taken",
    "S03",
    zh="这个公告号已登记了一个区域",
    en="an area with this notice is registered",
    office=LOOK_IT_UP,
)

# Bottled gas where it may not be
USE_NOT_OVERDUE = reason(
    "banned_use.not_overdue",
    "B01",
    zh="通知的期限（{deadline_on}）还没有过",
    en="the day that the notice gives ({deadline_on}) is not over",
    office=(
        "wait",
        "期限过后仍未清理的，再联合清理",
        "wait for that day; what is left then is cleared jointly",
    ),
)
USE_OWN_REPORT = reason(
    "banned_use.own_report",
    "B02",
    zh="上报人不能自己销案",
    en="who reported it does not close it",
    office=("another_person", "由另一人到现场核实后销案", "let somebody else look and close it"),
)
USE_NOTICE_TAKEN = reason(
    "banned_use.notice_taken",
    "S03",
    zh="这个通知书编号已用过",
    en="a notice with this number was given already",
    office=LOOK_IT_UP,
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

# C01: conversion plans
CONVERSION_OF_NOBODY = reason(
    "conversion.of_nobody",
    "C01",
    zh="{street_code}没有要改造的用户",
    en="nobody in {street_code} has an account to convert",
    office=LOOK_IT_UP,
)
CONVERSION_HOMES_LEFT = reason(
    "conversion.homes_left",
    "C01",
    zh="还有{left}户没有退户，计划不能算完成",
    en="{left} accounts are left: the plan is not done",
    office=(
        "close_accounts",
        "改造后逐户办退户，再结束计划",
        "close each account once converted, then finish the plan",
    ),
)
CONVERSION_NO_TAKEN = reason(
    "conversion.number_taken",
    "S03",
    zh="这个计划编号已登记",
    en="a plan with this number is entered",
    office=LOOK_IT_UP,
)

# Divisions
DIVISION_TAKEN = reason(
    "division.code_taken",
    "S03",
    zh="这一级在这段时间已有这个代码",
    en="another division of this level has this code for part of this time",
    office=("look_up", "核对代码和启用、停用日", "check the code and its days"),
)
DIVISION_ENDED = reason(
    "division.ended",
    "S03",
    zh="这个区划已于{valid_until}停用",
    en="this division ended on {valid_until}",
    office=LOOK_IT_UP,
)
DIVISION_HAS_PARTS = reason(
    "division.has_parts",
    "S03",
    zh="{valid_until}以后还有{parts}个下级区划在用",
    en="{parts} divisions within it are in force beyond {valid_until}",
    office=("end_parts", "先停用或改登下级，再停用它", "end or re-enter what lies within it first"),
)

HELD: dict[str, Reason] = {
    "ex_division_code": DIVISION_TAKEN,
    "uq_conversion_plan_district_plan_no": CONVERSION_NO_TAKEN,
    "uq_succession_asked_account": SUCCESSION_ASKED,
    "ck_succession_four_eyes": SUCCESSION_SAME_PERSON,
    "uq_banned_use_district_notice_no": USE_NOTICE_TAKEN,
    "pk_account_review": REVIEWED_ALREADY,
    "pk_deposit_line": DEPOSIT_MEANWHILE,
    "uq_deposit_line_district_account_id_kind_receipt_no": DEPOSIT_RECEIPT_TAKEN,
    "uq_free_area_district_notice_no": AREA_NOTICE_TAKEN,
    "uq_inspection_agency_approval_no": AGENCY_TAKEN,
    "uq_firm_uscc": USCC_TAKEN,
    "uq_licence_kind_number": LICENCE_TAKEN,
    "uq_vehicle_district_plate": PLATE_TAKEN,
    "uq_zone_set_district_version": ZONE_DAY_TAKEN,
    "uq_zone_set_district_valid_from": ZONE_DAY_TAKEN,
    "uq_zone_draft_district_zone_set_id": DRAFT_PUBLISHED,
    "ex_binding_courier": COURIER_BOUND,
    "ex_binding_vehicle": VEHICLE_BOUND,
    "ex_binding_device": DEVICE_BOUND,
    "pk_person_document": JUST_REGISTERED,
    "uq_premises_district_address_scheme_address_index": ADDRESS_TAKEN,
    "uq_household_active_premises": HOUSEHOLD_STANDS,
    "uq_account_live_household": ACCOUNT_STANDS,
    "uq_resident_registration_active": REGISTRANT_HAS_ANOTHER,
    "uq_card_live_resident_household": SECOND_CARD,
}
"""What two people can race on, by the constraint that lets one of them win."""

for _constraint, _reason in HELD.items():
    held_by(_constraint, _reason)

"""Every "no" about duty: who may not be rostered, and why a roster cannot stand. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by

PROPOSE_AGAIN = ("propose_again", "重新拟一次排班", "propose the roster again")

NOT_BOUND = reason(
    "roster.not_bound",
    "K01",
    zh="这位送气工{day}没有人车对应，不能排班",
    en="the courier is bound to no vehicle on {day}",
    office=("bind", "先办理人车对应", "bind the courier to a vehicle first"),
)
BOUND_FOR_PART = reason(
    "roster.bound_for_part",
    "K01",
    zh="人车对应不能覆盖整个班次",
    en="the binding does not hold for the whole shift",
    office=("other_shift", "换班次，或改人车对应", "take another shift, or change the binding"),
)
COURIER_AWAY = reason(
    "roster.courier_away",
    "K02",
    zh="送气工{day}不出勤",
    en="the courier is away on {day}",
    office=("other_crew", "排别的人车；已销假的先撤回登记", "roster another crew, or withdraw the absence"),
)
VEHICLE_AWAY = reason(
    "roster.vehicle_away",
    "K02",
    zh="车辆{day}停驶",
    en="the vehicle is off the road on {day}",
    office=("other_crew", "排别的人车；已修好的先撤回登记", "roster another crew, or withdraw the absence"),
)
FIRM_UNLICENSED = reason(
    "roster.firm_unlicensed",
    "K03",
    zh="企业{day}没有有效的燃气经营许可",
    en="the firm holds no gas business licence on {day}",
    office=("renew", "先办妥许可", "renew the licence first"),
)
NO_CREW_TO_ROSTER = reason(
    "roster.nobody",
    "K01",
    zh="企业{day}没有一组人车可以排班",
    en="the firm has no crew to roster on {day}",
    office=("bind", "先办理人车对应", "bind couriers and vehicles first"),
)
NO_ZONES = reason(
    "roster.no_zones",
    "K04",
    zh="企业{day}没有配送范围，不用排班",
    en="the firm has no zones on {day}: there is nowhere to work",
    office=("zones", "先公布配送范围", "publish zones first"),
)
CREW_GONE = reason(
    "roster.crew_gone",
    "K05",
    zh="这组人车的对应已变，不能照此排班",
    en="this crew's binding has changed: it cannot be rostered as it stands",
    office=PROPOSE_AGAIN,
)
ROUNDS_LEFT = reason(
    "roster.rounds_left",
    "K05",
    zh="这组人车当天已排有趟次，不能排在班外：{rounds}",
    en="this crew has rounds on that day and cannot be left off the roster: {rounds}",
    office=("hand_on", "先把这些趟次改派，或留在班上", "hand its rounds on first, or keep it on the roster"),
)
CONFIRMED_ALREADY = reason(
    "roster.confirmed_already",
    "S03",
    zh="这一天的排班刚被别人确认",
    en="another roster of this day has just been confirmed",
    office=("look", "查看当天的排班", "look at the day's roster"),
)

held_by("uq_roster_confirmed", CONFIRMED_ALREADY)

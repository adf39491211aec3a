"""Every "no" about couriers, vehicles and devices, and about binding them. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import ASK_AGAIN, LOOK_IT_UP

PLATE_TAKEN = reason(
    "vehicle.plate_taken",
    "S03",
    zh="这个号牌已登记",
    en="a vehicle with this plate is registered",
    office=LOOK_IT_UP,
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

held_by("uq_vehicle_district_plate", PLATE_TAKEN)
held_by("ex_binding_courier", COURIER_BOUND)
held_by("ex_binding_vehicle", VEHICLE_BOUND)
held_by("ex_binding_device", DEVICE_BOUND)

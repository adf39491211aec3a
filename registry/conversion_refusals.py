"""Every "no" about plans of conversion. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import LOOK_IT_UP

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

held_by("uq_conversion_plan_district_plan_no", CONVERSION_NO_TAKEN)

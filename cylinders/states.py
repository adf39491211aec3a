"""The cylinder's machine covers its life. Where it is and whether it is full are facts of custody."""

from enum import StrEnum

from core.machine import Machine, Move


class CylinderState(StrEnum):
    IN_SERVICE = "in_service"
    HELD = "held"
    AT_INSPECTION = "at_inspection"
    SCRAPPED = "scrapped"


CYLINDER = Machine(
    "cylinder",
    "cylinder",
    CylinderState.IN_SERVICE,
    [
        Move("hold", CylinderState.IN_SERVICE, CylinderState.HELD),
        Move("release", CylinderState.HELD, CylinderState.IN_SERVICE),
        Move("send_to_inspection", CylinderState.IN_SERVICE, CylinderState.AT_INSPECTION),
        Move("send_to_inspection", CylinderState.HELD, CylinderState.AT_INSPECTION),
        Move("pass_inspection", CylinderState.AT_INSPECTION, CylinderState.IN_SERVICE),
        Move("fail_inspection", CylinderState.AT_INSPECTION, CylinderState.HELD),
        Move("scrap", CylinderState.AT_INSPECTION, CylinderState.SCRAPPED),
        Move("scrap", CylinderState.HELD, CylinderState.SCRAPPED),
    ],
)

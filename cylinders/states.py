"""The cylinder's machine covers its life. Where it is and whether it is full are facts of custody.

A recall and each of its tasks have machines of their own.
"""

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


class RecallState(StrEnum):
    RECALLING = "recalling"
    RECALLED = "recalled"


RECALL = Machine(
    "recall",
    "recall_campaign",
    RecallState.RECALLING,
    [
        Move("finish", RecallState.RECALLING, RecallState.RECALLED),
        Move("reopen", RecallState.RECALLED, RecallState.RECALLING),
    ],
)


class TaskState(StrEnum):
    LISTED = "listed"
    NOTIFIED = "notified"
    BROUGHT_IN = "brought_in"
    SETTLED = "settled"


RECALL_TASK = Machine(
    "recall_task",
    "recall_task",
    TaskState.LISTED,
    [
        Move("tell", TaskState.LISTED, TaskState.NOTIFIED),
        Move("bring_in", TaskState.LISTED, TaskState.BROUGHT_IN),
        Move("bring_in", TaskState.NOTIFIED, TaskState.BROUGHT_IN),
        Move("settle", TaskState.LISTED, TaskState.SETTLED),
        Move("settle", TaskState.NOTIFIED, TaskState.SETTLED),
        Move("settle", TaskState.BROUGHT_IN, TaskState.SETTLED),
        Move("reopen", TaskState.SETTLED, TaskState.BROUGHT_IN),
    ],
)

"""Every "no" of oversight itself. Codes keep their meaning for ever."""

from core.refusal import reason

ACKNOWLEDGED_ALREADY = reason(
    "alarm.acknowledged_already",
    "S03",
    zh="这条告警刚才已有人处理",
    en="somebody has just acknowledged this alarm",
    office=("look", "查看是谁、怎么处理的", "look at who did, and what they did"),
)

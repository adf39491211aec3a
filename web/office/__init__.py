"""The office's face: what a firm's clerk looks at and does at a desk.

    today       the day at a glance, stock per site with its cap, what was filled and refused
    counting    盘点: a count by scanning, its differences, each explained
    bottles     a bottle's file by any of its codes, its trace, inspections
    registering one bottle's file made
    households  一户一档, masked; a card lost and replaced; a survey; a contract
    queues      what falls due, what is recalled, what is held and contested, and why
    sheets      the same lists as files for a spreadsheet

Every page works without scripts.
"""

from web.office import bottles, counting, households, queues, registering, today
from web.office.face import face

__all__ = ["bottles", "counting", "face", "households", "queues", "registering", "today"]

"""The demo's day: Wednesday 2024-06-12 in Changning, from the counter in the morning to the district's look
in the evening. Everything goes through the public API; only the clock is moved by hand."""

from core import clock
from sample.evening import find_the_overdue_empty, look_back, mend_the_hazard
from sample.firms import DEMO_DAY
from sample.morning import at_the_counter, at_the_desk, at_the_stations
from sample.road import drive_the_day, plan_the_day
from sample.scene import Scene

BEGINS_AT = clock.at(DEMO_DAY).replace(hour=5, minute=20)
ENDS_AT = clock.at(DEMO_DAY).replace(hour=21)
"""Where the clock stands when the demo is looked at: after everything that happened."""


def live(scene: Scene) -> None:
    at_the_counter(scene)
    at_the_stations(scene)
    at_the_desk(scene)
    drive_the_day(scene, plan_the_day(scene))
    mend_the_hazard(scene)
    find_the_overdue_empty(scene)
    look_back(scene)

"""The demo's day: Wednesday 2024-06-12 in Changning, from the counter in the morning to the district's look
in the evening. Everything goes through the public API; only the clock is moved by hand."""

from core import clock
from sample.afternoon import put_right
from sample.agenda import Agenda
from sample.counting import count_the_sites
from sample.days_before import live_the_days_before, spend_the_quota, stand_as_they_left_it
from sample.evening import find_the_overdue_empty, look_back
from sample.firms import DEMO_DAY
from sample.helping import help_and_change, show_vouchers, too_late_to_move
from sample.mistakes import Mistakes
from sample.morning import at_the_counter, at_the_desk, at_the_stations
from sample.noes import at_night, at_the_offices
from sample.noes_of_booking import break_each_rule_once
from sample.offline import Offline
from sample.passing_on import pass_on_and_plan
from sample.planning import plan_the_day
from sample.positions import report_positions
from sample.prices import price_the_zones
from sample.road import Road
from sample.rosters import confirm_the_rosters
from sample.scene import Scene
from sample.sign_ins import make_sign_ins

BEGINS_AT = clock.at(DEMO_DAY).replace(hour=5, minute=20)
ENDS_AT = clock.at(DEMO_DAY).replace(hour=21)
"""Where the clock stands when the demo is looked at: after everything that happened."""


def live(scene: Scene) -> None:
    live_the_days_before(scene)
    scene.stage.wait_until(BEGINS_AT)
    at_the_counter(scene)
    at_the_stations(scene)
    stand_as_they_left_it(scene)
    at_the_desk(scene)
    spend_the_quota(scene)
    help_and_change(scene)
    at_the_offices(scene)
    break_each_rule_once(scene)
    pass_on_and_plan(scene)
    agenda = Agenda(scene)
    road = Road(scene, agenda)
    confirm_the_rosters(scene)
    price_the_zones(scene)
    rounds = plan_the_day(scene)
    too_late_to_move(scene)
    road.drive(rounds)
    report_positions(scene, agenda, rounds)
    Mistakes(scene, agenda, Offline(scene, agenda, rounds))
    put_right(scene, agenda, road)
    agenda.run()
    find_the_overdue_empty(scene)
    count_the_sites(scene)
    look_back(scene)
    show_vouchers(scene)
    at_night(scene)
    scene.sign_ins = make_sign_ins(scene)

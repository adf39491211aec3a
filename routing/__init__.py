"""Who drives what where: one zone's day in, one plan out. Pure arithmetic, no clock, none of our rooms.

    matrix      travel times between places, or the lack of a way; the great circle
    travel      providers made of others: with a memory, with a second choice
    problem     the day: a station, stops, vehicles, and what of it has begun
    solve       greedy start, compiled search, OR-Tools' proof; a plan in which every stop is accounted for
    choosing    trips met in good plans, put together anew where goods come late
    replan      a plan under way: an urgent order, a lost crew, and how much those who drive it notice
    by_hand     one stop put at another place by a person, and what each vehicle then does
    pricing     a day with every crew in its zone, beside the same crews free: what fixed zones cost
    ground      units of ground, and the districts it is divided into
    districting divides it: balanced, whole, compact
    crews       crews and what zones need of them, shift by shift
    rostering   bound crews to zones and shifts
    check       judges a plan, bare routes or a round as driven; shares no code with the solver

Units, for the whole package: moments in whole seconds since the day's local midnight and durations in
seconds (_s), distances in metres (_m), loads in load units (a household cylinder in its place on the vehicle
is one unit), points as [lon, lat] in degrees, WGS-84. A penalty is the travel seconds that serving the stop
is worth.

The same problem, seed, iterations and warm routes give the same plan, in any process, unless the plan says
``stopped == "time"``. A plan names its problem by digest. ``python -m routing`` solves one from stdin.
"""

from routing.by_hand import Seat, VehicleDay, days, lateness_s, plan_of_routes, put
from routing.check import Driven, Fault, Violation, check
from routing.crews import Crew, Need, Roster
from routing.ground import Districts, Unit
from routing.matrix import GreatCircle, Matrix, TravelTimes, TravelTimesFailed
from routing.plan import Note, Plan, Reason, Routes, Stopped, Trip, Unserved, Visit
from routing.pricing import Priced, bound
from routing.pricing import Zone as PricedZone
from routing.problem import Problem, Stop, Vehicle
from routing.replan import Churn, Replanned, churn, insert_urgent, without_crew
from routing.solve import solve
from routing.travel import Cached, Fallback

__all__ = [
    "Cached",
    "Churn",
    "Crew",
    "Districts",
    "Driven",
    "Fallback",
    "Fault",
    "GreatCircle",
    "Matrix",
    "Need",
    "Note",
    "Plan",
    "Priced",
    "PricedZone",
    "Problem",
    "Reason",
    "Replanned",
    "Roster",
    "Routes",
    "Seat",
    "Stop",
    "Stopped",
    "TravelTimes",
    "TravelTimesFailed",
    "Trip",
    "Unit",
    "Unserved",
    "Vehicle",
    "VehicleDay",
    "Violation",
    "Visit",
    "bound",
    "check",
    "churn",
    "days",
    "insert_urgent",
    "lateness_s",
    "plan_of_routes",
    "put",
    "solve",
    "without_crew",
]

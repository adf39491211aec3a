"""Shapes of what fixed zones cost. Sums only: no order, no door, no crew is named."""

from marshmallow import fields

from core.fields import Day, Form, Id, Instant, Number, View, Word
from core.jobs import Fault, JobState
from dispatch.rounds.schemas import PLAIN_ITERATIONS

MOST_PRICE_ITERATIONS = 200_000


class ZonePriceIn(Form):
    """``iterations``: turns of each side in each half of its search, shared out by orders among zones."""

    supply_site_id = Id(required=True)
    day = Day(required=True)
    iterations = Number(most=MOST_PRICE_ITERATIONS, load_default=PLAIN_ITERATIONS)
    seed = Number(load_default=1)


class ZonePricesQuery(Form):
    supply_site_id = Id(required=True)
    day = Day(required=True)


class PricedSideView(View):
    """``objective``: travel seconds, and what is left undone in travel seconds; it alone was minimised."""

    travel_s = fields.Integer()
    distance_m = fields.Integer()
    late_s = fields.Integer()
    unserved = fields.Integer()
    vehicles = fields.Integer()
    trips = fields.Integer()
    objective = fields.Integer()


class PricedZoneView(View):
    zone_id = Id()
    number = fields.Integer()
    name = fields.String()
    orders = fields.Integer()
    crews = fields.Integer()


class ZonePriceView(View):
    """A price, not an advice: both sides are searched alike from one plan, neither is proved best.

    ``elsewhere``: orders that the free plan gives to another zone's crew. ``notes``, ``is_cut``: what makes
    it worse than it could be.
    """

    id = Id()
    firm_id = Id()
    supply_site_id = Id()
    day = Day()
    zones = fields.List(fields.Nested(PricedZoneView))
    fixed = fields.Nested(PricedSideView)
    free = fields.Nested(PricedSideView)
    elsewhere = fields.Integer()
    problem = fields.String()
    engine = fields.String()
    seed = fields.Integer()
    iterations = fields.Integer()
    notes = fields.List(fields.String())
    is_cut = fields.Boolean()
    travel_times = fields.String()
    recorded_at = Instant()


class ZonePricesView(View):
    items = fields.List(fields.Nested(ZonePriceView))


class ZonePriceJobView(View):
    """``state`` says how it stands; ``step`` what is being done; ``zone_price_id`` once it is done."""

    id = Id()
    supply_site_id = Id()
    day = fields.String()
    state = Word(JobState)
    step = fields.String(allow_none=True)
    zone_price_id = Id(allow_none=True)
    reasons = fields.List(fields.Dict())
    refusal_no = fields.String(allow_none=True)
    fault = Word(Fault, allow_none=True)
    recorded_at = Instant()
    started_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)

"""Shapes of plans and rounds. Personal data is masked, except in a manifest."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from core.fields import (
    Day,
    Form,
    Id,
    Instant,
    Number,
    PageQuery,
    Part,
    QueryNumber,
    Text,
    View,
    Word,
    page_view,
)
from core.jobs import Fault, JobState
from dispatch.orders.states import LineState
from dispatch.rounds.models import ApprovalReason, ChangeKind
from dispatch.rounds.states import ChangeState, PlanState, RoundState
from routing import Note

PLAIN_ITERATIONS = 100_000
MOST_ITERATIONS = 2_000_000


class PlanIn(Form):
    """``iterations`` and ``seed``: the same ones over the same orders and crews give the same plan."""

    zone_id = Id(required=True)
    day = Day(required=True)
    wave = Number(least=1, most=20, required=True)
    iterations = Number(most=MOST_ITERATIONS, load_default=PLAIN_ITERATIONS)
    seed = Number(load_default=1)


class Nothing(Form):
    """An act that needs no more than its address."""


class PlanStopView(View):
    order_id = Id()
    arrive_at = Instant()
    start_at = Instant()


class PlanTripView(View):
    binding_id = Id()
    number = fields.Integer()
    leave_at = Instant()
    return_at = Instant()
    load_units = fields.Integer()
    stops = fields.List(fields.Nested(PlanStopView))


class UnservedView(View):
    """An order that is not in the plan, and why."""

    order_id = Id()
    code = fields.String()
    zh = fields.String()
    en = fields.String()


class PlanNoteView(View):
    """Why a plan is not as good, or not as sure, as it could be."""

    code = Word(Note)
    zh = fields.String()
    en = fields.String()


class CrewApartView(View):
    """A crew that is bound to the zone and may not drive on the day; everything that stands against it."""

    binding_id = Id()
    reasons = fields.List(fields.Dict())


class PlanView(View):
    """``travel_times`` names where the times come from; ``stopped`` what ended the search; ``notes`` warn.

    ``roster_id``: the roster it was made by; null: none was confirmed, whoever is bound was planned with.
    """

    id = Id()
    zone_id = Id()
    day = Day()
    wave = fields.Integer()
    state = Word(PlanState)
    engine = fields.String()
    seed = fields.Integer()
    iterations = fields.Integer()
    stopped = fields.String()
    travel_times = fields.String()
    travel_s = fields.Integer()
    distance_m = fields.Integer()
    recorded_at = Instant()
    roster_id = Id(allow_none=True)
    notes = fields.List(fields.Nested(PlanNoteView))
    apart = fields.List(fields.Nested(CrewApartView))
    trips = fields.List(fields.Nested(PlanTripView))
    unserved = fields.List(fields.Nested(UnservedView))


class PlanJobView(View):
    """``state`` says how it stands; ``step`` what is being done; ``plan_id`` once it is done."""

    id = Id()
    zone_id = Id()
    day = fields.String()
    wave = fields.Integer()
    state = Word(JobState)
    step = fields.String(allow_none=True)
    plan_id = Id(allow_none=True)
    reasons = fields.List(fields.Dict())
    refusal_no = fields.String(allow_none=True)
    fault = Word(Fault, allow_none=True)
    recorded_at = Instant()
    started_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)


class AppliedView(View):
    plan_id = Id()
    round_ids = fields.List(Id())


MOST_TRIPS = 1_000


class PlaceIn(Form):
    """``before_order_id``: right before that order; or ``binding_id`` and ``trip``: at that trip's end.

    A trip is numbered as on its round, or in its plan; one more than there are begins a new one.
    """

    before_order_id = Id()
    binding_id = Id()
    trip = Number(least=1, most=MOST_TRIPS)

    @validates_schema
    def _one_place(self, form: dict[str, Any], **_: Any) -> None:
        of_a_trip = [name for name in ("binding_id", "trip") if name in form]
        if ("before_order_id" in form) == bool(of_a_trip) or len(of_a_trip) == 1:
            said = "one_of|请填写排在哪一单之前，或者人车对应和趟次|"
            raise ValidationError(
                f"{said}expected a before_order_id, or a binding_id and a trip", "before_order_id"
            )


class StopMoveIn(PlaceIn):
    """``order_id``: the one that is put there."""

    order_id = Id(required=True)


class StopMoveQuery(StopMoveIn):
    trip = QueryNumber(least=1, most=MOST_TRIPS)


class DayMoveQuery(StopMoveQuery):
    """``version``: of the day as it was looked at; where it has been changed since, that is said."""

    zone_id = Id(required=True)
    version = QueryNumber(load_default=None)


class CrewTripView(View):
    """``reserved_units``: room taken at most, empties on the way back among it."""

    number = fields.Integer()
    load_units = fields.Integer()
    reserved_units = fields.Integer()


class CrewDayView(View):
    capacity = fields.Integer()
    stops = fields.Integer()
    travel_s = fields.Integer()
    distance_m = fields.Integer()
    return_at = Instant()
    late = fields.Integer()
    late_s = fields.Integer()
    trips = fields.List(fields.Nested(CrewTripView))


class CrewMoveView(View):
    """``before``: null where what stands breaks a rule itself; ``after``: null where the move would."""

    binding_id = Id()
    before = fields.Nested(CrewDayView)
    after = fields.Nested(CrewDayView)


class StopMoveView(View):
    """A door that another crew would come to, or at another time; ``from_binding_id``: null for none."""

    order_id = Id()
    from_binding_id = Id()
    to_binding_id = Id()
    start_at_before = Instant()
    start_at = Instant()
    late_s = fields.Integer()


class MoveVerdictView(View):
    """What a move would do, and every reason against it. ``version``: of the day; null of a plan."""

    allowed = fields.Boolean()
    reasons = fields.List(fields.Dict())
    version = fields.Integer()
    crews = fields.List(fields.Nested(CrewMoveView))
    stops = fields.List(fields.Nested(StopMoveView))


class StandingQuery(Form):
    zone_id = Id(required=True)


class StandingTripView(View):
    number = fields.Integer()
    order_ids = fields.List(Id())


class StandingCrewView(View):
    """``is_out``: on the road, a trip begun; ``on_board``: orders whose bottles are on the vehicle."""

    binding_id = Id()
    is_out = fields.Boolean()
    on_board = fields.List(Id())
    trips = fields.List(fields.Nested(StandingTripView))
    next_trip = fields.Integer()


class DayUnderWayView(View):
    """What is left of today's rounds. ``version``: to be named with what is asked of it."""

    zone_id = Id()
    day = Day()
    version = fields.Integer()
    crews = fields.List(fields.Nested(StandingCrewView))
    waiting = fields.List(Id())


class ChangeIn(Form):
    """``order_id``: one that cannot wait for a wave; or ``binding_id``: a crew that can go no further.

    ``to``: the order is put there by hand; ``version``: of the day as it was looked at.
    """

    zone_id = Id(required=True)
    order_id = Id()
    binding_id = Id()
    to = Part(PlaceIn)
    version = Number()

    @validates_schema
    def _one_event(self, form: dict[str, Any], **_: Any) -> None:
        if ("order_id" in form) == ("binding_id" in form):
            said = "one_of|请填写订单或人车对应，只填一项|expected an order_id or a binding_id, one of them"
            raise ValidationError(said, "order_id")
        if "to" in form and "order_id" not in form:
            raise ValidationError("no_order|只有一单可以换位置|expected an order_id beside it", "to")


class ChurnView(View):
    """Stops served before and after: with another crew, on another trip, in another order; and dropped."""

    other_crew = fields.Integer()
    other_trip = fields.Integer()
    other_order = fields.Integer()
    dropped = fields.Integer()


class MovedView(View):
    """``from_binding_id``: null for an order that no crew had."""

    order_id = Id()
    from_binding_id = Id(allow_none=True)
    to_binding_id = Id()
    start_at = Instant()


class ChangeView(View):
    """``stranded``: orders whose bottles are on board the lost vehicle; a person must see to them.

    ``version``: how often the day had been changed when this was proposed; it is applied to no other.
    """

    id = Id()
    zone_id = Id()
    day = Day()
    kind = Word(ChangeKind)
    order_id = Id(allow_none=True)
    binding_id = Id(allow_none=True)
    state = Word(ChangeState)
    version = fields.Integer()
    before_order_id = Id(allow_none=True)
    to_binding_id = Id(allow_none=True)
    to_trip = fields.Integer(allow_none=True)
    churn = fields.Nested(ChurnView)
    notes = fields.List(fields.Nested(PlanNoteView))
    stranded = fields.List(Id())
    moved = fields.List(fields.Nested(MovedView))
    trips = fields.List(fields.Nested(PlanTripView))
    unserved = fields.List(fields.Nested(UnservedView))
    recorded_at = Instant()


class ChangedView(View):
    change_id = Id()
    round_ids = fields.List(Id())


class ApprovalIn(Form):
    reason = Word(ApprovalReason, required=True)


class ApprovalView(View):
    order_id = Id()
    round_id = Id()
    reason = Word(ApprovalReason)
    approved_at = Instant()


class RoundView(View):
    id = Id()
    plan_id = Id()
    firm_id = Id()
    zone_id = Id()
    day = Day()
    state = Word(RoundState)
    binding_id = Id()
    courier_id = Id()
    vehicle_id = Id()
    plate = fields.String(allow_none=True)
    supply_site_id = Id()
    recorded_at = Instant()


class StopLineView(View):
    line_id = Id()
    cylinder_model = fields.String()
    state = Word(LineState)


class PointView(View):
    lon = fields.Float()
    lat = fields.Float()
    datum = fields.String()


class ReceiverView(View):
    """Whom the registrant named to receive; ``consent_id`` is what a handover to them names."""

    consent_id = Id()
    name_masked = fields.String()


class StopView(View):
    """``point`` and ``receivers`` only in a manifest; the point null where the data was erased."""

    order_id = Id()
    household_id = Id()
    trip = fields.Integer()
    position = fields.Integer()
    arrive_at = Instant()
    address = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    point = fields.Nested(PointView)
    lines = fields.List(fields.Nested(StopLineView))
    receivers = fields.List(fields.Nested(ReceiverView))


class RoundWithStopsView(RoundView):
    stops = fields.List(fields.Nested(StopView))


class RoundsQuery(PageQuery):
    day = Day()


RoundPage = page_view(RoundView)


class StartIn(Form):
    """``vehicle_code``: scanned from the vehicle's label; or ``plate``: read off it and typed."""

    plate = Text(most=20, code=True)
    vehicle_code = Text(most=120, code=True)

    @validates_schema
    def _one_of_both(self, form: dict[str, Any], **_: Any) -> None:
        if ("plate" in form) == ("vehicle_code" in form):
            said = "one_of|请扫车辆码或输入车牌，只填一项|expected a plate or a vehicle_code, one of them"
            raise ValidationError(said, "plate")

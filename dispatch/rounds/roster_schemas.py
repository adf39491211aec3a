"""Shapes of rosters, absences and substitutions. Nobody's name stands here."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from core.fields import Day, Form, Id, Instant, Number, Part, Rows, View, Word
from core.jobs import Fault, JobState
from registry.roster_models import AbsenceReason
from registry.states import RosterState
from registry.zone_schemas import SubstitutionView

DAY_S = 24 * 3600
MOST_SHIFTS = 3


class ShiftIn(Form):
    """From and until, in seconds since midnight; the end is not part of it."""

    from_s = Number(most=DAY_S, required=True)
    until_s = Number(most=DAY_S, required=True)


class RosterIn(Form):
    """``seed``: the same one over the same crews and needs gives the same roster."""

    firm_id = Id(required=True)
    day = Day(required=True)
    shifts = Rows(Part(ShiftIn), least=1, most=MOST_SHIFTS, required=True)
    seed = Number(load_default=1)


class RosterChangeIn(Form):
    """``zone_id`` and ``shift`` (its place in the roster's shifts, from 0); without both: off the roster."""

    binding_id = Id(required=True)
    zone_id = Id()
    shift = Number(most=MOST_SHIFTS - 1)

    @validates_schema
    def _both_or_none(self, form: dict[str, Any], **_: Any) -> None:
        if ("zone_id" in form) != ("shift" in form):
            said = "both|请同时填写片区和班次，或都不填|expected zone_id and shift, or neither"
            raise ValidationError(said, "shift" if "zone_id" in form else "zone_id")


class RosterQuery(Form):
    day = Day(required=True)


class ShiftView(View):
    from_s = fields.Integer()
    until_s = fields.Integer()


class RosterNeedView(View):
    """What a zone asks for in a shift, and what of it is lacking. ``orders``: booked, or usual."""

    zone_district = fields.Integer()
    zone_id = Id()
    zone_number = fields.Integer()
    zone_name = fields.String()
    shift = fields.Integer()
    orders = fields.Integer()
    crews = fields.Integer()
    trucks = fields.Integer()
    short_crews = fields.Integer()
    short_trucks = fields.Integer()


class RosterLineView(View):
    """``is_elsewhere``: in another zone than the binding's own. ``reasons``: what stands against it now."""

    binding_id = Id()
    zone_district = fields.Integer()
    zone_id = Id()
    shift = fields.Integer()
    courier_id = Id(allow_none=True)
    vehicle_id = Id(allow_none=True)
    plate = fields.String(allow_none=True)
    has_truck = fields.Boolean()
    is_bound = fields.Boolean()
    is_elsewhere = fields.Boolean()
    reasons = fields.List(fields.Dict())


class FreeCrewView(View):
    binding_id = Id()
    courier_id = Id()
    vehicle_id = Id()
    plate = fields.String()
    zone_id = Id()
    has_truck = fields.Boolean()


class ApartView(View):
    """Who could not be rostered when it was proposed, and every reason."""

    courier_id = Id()
    binding_id = Id(allow_none=True)
    reasons = fields.List(fields.Dict())


class RosterSummaryView(View):
    id = Id()
    firm_id = Id()
    day = Day()
    state = Word(RosterState)
    recorded_at = Instant()
    confirmed_at = Instant(allow_none=True)


class RosterView(RosterSummaryView):
    shifts = fields.List(fields.Nested(ShiftView))
    moved_m = fields.Integer()
    optimal = fields.Boolean()
    seed = fields.Integer()
    needs = fields.List(fields.Nested(RosterNeedView))
    lines = fields.List(fields.Nested(RosterLineView))
    free = fields.List(fields.Nested(FreeCrewView))
    apart = fields.List(fields.Nested(ApartView))


class RostersView(View):
    items = fields.List(fields.Nested(RosterSummaryView))


class RosterJobView(View):
    """``state`` says how it stands; ``step`` what is being done; ``roster_id`` once it is done."""

    id = Id()
    firm_id = Id()
    day = fields.String()
    state = Word(JobState)
    step = fields.String(allow_none=True)
    roster_id = Id(allow_none=True)
    reasons = fields.List(fields.Dict())
    refusal_no = fields.String(allow_none=True)
    fault = Word(Fault, allow_none=True)
    recorded_at = Instant()
    started_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)


class AbsenceIn(Form):
    """``staff_id`` or ``vehicle_id``, one of them; both days included."""

    firm_id = Id(required=True)
    staff_id = Id()
    vehicle_id = Id()
    reason = Word(AbsenceReason, required=True)
    from_on = Day(required=True)
    until_on = Day(required=True)

    @validates_schema
    def _one_of_both(self, form: dict[str, Any], **_: Any) -> None:
        if ("staff_id" in form) == ("vehicle_id" in form):
            said = "one_of|请填写人员或车辆，只填一项|expected a staff_id or a vehicle_id, one of them"
            raise ValidationError(said, "staff_id")


class AbsencesQuery(Form):
    from_on = Day(required=True)
    until_on = Day(required=True)


class AbsenceView(View):
    id = Id()
    firm_id = Id()
    staff_id = Id(allow_none=True)
    vehicle_id = Id(allow_none=True)
    reason = Word(AbsenceReason)
    from_on = Day()
    until_on = Day()
    recorded_at = Instant()
    withdrawn_at = Instant(allow_none=True)


class AbsencesView(View):
    items = fields.List(fields.Nested(AbsenceView))


class SubstitutedView(SubstitutionView):
    """``stranded_round_ids``: rounds planned for the binding whose doors lie after its end: hand them on."""

    stranded_round_ids = fields.List(Id())

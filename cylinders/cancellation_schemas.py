"""Shape of the queue of registrations that are to be cancelled."""

from marshmallow import fields

from core.fields import Day, Id, Instant, View, Word, page_view
from cylinders.life_models import UnfitReason
from cylinders.states import CylinderState


class CancellationDueOut(View):
    """``why`` and ``reference``: what was found first and on which paper; ``due_on`` by rule F05."""

    cylinder_id = Id()
    code = fields.String()
    model = fields.String()
    state = Word(CylinderState)
    registered_by_firm_id = Id()
    why = Word(UnfitReason)
    reference = fields.String()
    found_at = Instant()
    due_on = Day()
    days = fields.Integer()


CancellationDuePage = page_view(CancellationDueOut)

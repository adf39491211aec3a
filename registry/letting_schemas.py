"""Shapes of lettings."""

from marshmallow import fields

from core.fields import Day, Form, Id, Instant, View
from registry.fields import PlainCode
from registry.schemas import LettingView


class LettingIn(Form):
    """``person_id``: the landlord, registered and identified; ``reference``: the number of the lease."""

    person_id = Id(required=True)
    reference = PlainCode(required=True)
    from_on = Day(required=True)
    until_on = Day(required=True)


class EnteredView(View):
    household_id = Id()
    letting_id = Id()


class LettingList(View):
    items = fields.List(fields.Nested(LettingView))


class LetView(View):
    """For the landlord: which home they let, by which lease; nothing of who lives there."""

    household_id = Id()
    reference = fields.String()
    from_on = Day()
    until_on = Day()
    ended_at = Instant(allow_none=True)

"""Shapes of an account's passing to another member of the home."""

from marshmallow import fields

from core.fields import Flag, Form, Id, Instant, PageQuery, View, Word, page_view
from registry.fields import PlainCode
from registry.states import SuccessionState
from registry.succession_models import Kinship, RejectedFor, SuccessionGround


class SuccessionIn(Form):
    """``evidence``: the code of what shows the death or the move; ``membership``: of what shows that the
    successor lives in the home."""

    person_id = Id(required=True)
    ground = Word(SuccessionGround, required=True)
    kinship = Word(Kinship, required=True)
    evidence = PlainCode(required=True)
    membership = PlainCode(required=True)


class RejectionIn(Form):
    reason = Word(RejectedFor, required=True)


class SuccessionQuery(PageQuery):
    state = Word(SuccessionState)


class SuccessionView(View):
    """``mine``: the caller asked for it, and so does not decide it."""

    id = Id()
    account_id = Id()
    household_id = Id()
    firm_id = Id()
    street_code = fields.String()
    from_person_id = Id()
    to_person_id = Id()
    ground = Word(SuccessionGround)
    kinship = Word(Kinship)
    evidence = fields.String()
    membership = fields.String()
    state = Word(SuccessionState)
    asked_at = Instant()
    decided_at = Instant(allow_none=True)
    rejected_for = Word(RejectedFor, allow_none=True)
    mine = Flag()


SuccessionPage = page_view(SuccessionView)

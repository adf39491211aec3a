"""Shapes of oversight's answers."""

from marshmallow import fields

from core.fields import Form, Id, Instant, PageQuery, View, Word, page_view
from evidence.models import Outcome

__all__ = ["PageQuery", "RefusedPage", "TipPage", "TraceOut", "TraceQuery"]


class TraceQuery(Form):
    """``as_of``: what was known then; absent: now."""

    as_of = Instant()


class SubjectOut(View):
    type = fields.String()
    key = fields.String()


class ChainOut(SubjectOut):
    entries = fields.Integer()
    intact = fields.Boolean()


class EventOut(View):
    entry_id = Id()
    verb = fields.String()
    outcome = Word(Outcome)
    role = fields.String()
    actor_id = Id()
    occurred_at = Instant()
    recorded_at = Instant()
    refusal_no = fields.String(allow_none=True)
    payload = fields.Dict()
    reasons = fields.List(fields.Dict())
    subjects = fields.List(fields.Nested(SubjectOut))
    hash = fields.String()


class TraceOut(View):
    subject = fields.Nested(SubjectOut)
    as_of = Instant()
    intact = fields.Boolean()
    complete = fields.Boolean()
    chains = fields.List(fields.Nested(ChainOut))
    events = fields.List(fields.Nested(EventOut))
    leads_to = fields.List(fields.Nested(SubjectOut))


class RefusedOut(View):
    entry_id = Id()
    verb = fields.String()
    role = fields.String()
    refusal_no = fields.String()
    recorded_at = Instant()
    reasons = fields.List(fields.Dict())


class TipOut(View):
    id = Id()
    kind = fields.String()
    facts = fields.Dict()
    seen_at = Instant()
    recorded_at = Instant()


RefusedPage = page_view(RefusedOut)
TipPage = page_view(TipOut)

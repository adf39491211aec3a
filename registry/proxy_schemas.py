"""Shapes of consents to proxies."""

from marshmallow import fields

from core.fields import Day, Flag, Form, Id, Instant, View, Word
from registry.fields import Phone, PlainCode
from registry.states import ProxyState


class ProxyIn(Form):
    """``phone`` by the registrant; ``person_id`` and ``paper`` at a counter, for what both signed."""

    phone = Phone(allow_none=True, load_default=None)
    person_id = Id(allow_none=True, load_default=None)
    paper = PlainCode(allow_none=True, load_default=None)
    may_book = Flag(required=True)
    may_receive = Flag(required=True)
    until_on = Day(required=True)


class ProxyAnswerIn(Form):
    agreed = Flag(required=True)


class ProxyEndIn(Form):
    """Nothing to say."""


class ConsentView(View):
    """``mine``: given by the reader. ``to_answer``: the reader is asked. Nobody's name stands in clear."""

    id = Id(attribute="row.id")
    household_id = Id(attribute="row.household_id")
    state = Word(ProxyState, attribute="row.state")
    may_book = Flag(attribute="row.may_book")
    may_receive = Flag(attribute="row.may_receive")
    valid_from = Day(attribute="row.valid_from")
    valid_until = Day(attribute="row.valid_until")
    lapsed = Flag()
    mine = Flag()
    to_answer = Flag()
    giver_masked = fields.String(allow_none=True)
    proxy_masked = fields.String(allow_none=True)
    address_masked = fields.String(allow_none=True)
    named_at = Instant(attribute="row.named_at")
    answered_at = Instant(attribute="row.answered_at", allow_none=True)
    ended_at = Instant(attribute="row.ended_at", allow_none=True)


class ConsentList(View):
    items = fields.List(fields.Nested(ConsentView))

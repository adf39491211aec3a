"""The printed list of addresses: complete, with whoever has the verb, in two languages."""

import re

from flask import Flask

from core.auth import Role
from web import docs
from web.addresses import addresses, roles_with
from web.rights import RIGHTS
from web.verbs import SAID


def test_every_address_of_the_application_is_on_the_page(app: Flask) -> None:
    page = docs.routes_page(addresses(app))
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        assert f"`{path}`" in page


def test_a_line_names_the_verb_its_chinese_the_roles_and_what_it_does(app: Flask) -> None:
    [line] = [
        row
        for row in docs.routes_page(addresses(app)).split("\n")
        if "{order_id}/cancellations`" in row and "/api/" in row
    ]
    assert line == (
        "| POST | `/api/v1/districts/{district}/orders/{order_id}/cancellations` | `order.cancel` | 取消预约 "
        "| resident, clerk, dispatcher | cancel a booking |"
    )


def test_an_address_without_a_verb_is_nobodys_in_particular(app: Flask) -> None:
    [health] = [one for one in addresses(app) if one.path == "/healthz"]
    assert (health.verb, health.roles) == (None, ())
    assert "| GET | `/healthz` | – | – | – |" in docs.routes_page([health])


def test_whoever_has_the_verb_is_listed() -> None:
    assert roles_with("cylinder.fill") == (Role.FILLER,)
    assert roles_with("no.such_verb") == ()


def test_every_verb_is_worded_in_chinese_and_english() -> None:
    assert {verb for verbs in RIGHTS.values() for verb in verbs} == SAID.keys()
    for zh, en in SAID.values():
        assert re.search(r"[\u4e00-\u9fff]", zh), zh
        assert re.search(r"[a-z]", en), en

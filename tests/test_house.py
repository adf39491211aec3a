"""House rules as tests: keys that can be sharded, unique refusal codes in two languages, rights for all."""

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import openapi_spec_validator
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

import app as application
import rulebook
from core import sessions
from core.auth import Role
from core.db import Base, Group
from core.machine import MACHINES
from core.refusal import CATALOGUE, Audience
from core.sessions import SignedInBy
from rulebook.words import WORDS
from tests.desk import Desk
from web.rights import RIGHTS

EXEMPT_BY_NAME = {
    "api_token",
    "confirmation",
    "decision",
    "demo_clock",
    "evidence_entry",
    "evidence_head",
    "evidence_link",
    "number_application",
    "password",
    "phone_challenge",
    "recovery_code",
    "rulebook_edition",
    "sealed_key",
    "second_factor",
    "tried",
    "verdict_ask",
    "web_session",
}
KEYED = (Group.DISTRICT, Group.CYLINDER, Group.PERSON, Group.IDENTIFIER)

assert application.ROOMS
TABLES = list(Base.metadata.sorted_tables)


def group_of(table: sa.Table) -> Group:
    return Group(table.info["group"])


def key_of(table: sa.Table) -> str:
    return group_of(table).value


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_each_table_declares_its_group_and_only_named_ones_are_exempt(table: sa.Table) -> None:
    assert (group_of(table) is Group.EXEMPT) == (table.name in EXEMPT_BY_NAME)


@pytest.mark.parametrize("table", [one for one in TABLES if group_of(one) in KEYED], ids=str)
def test_the_group_key_stands_first_in_every_key(table: sa.Table) -> None:
    key = key_of(table)
    keys = [list(table.primary_key.columns.keys())]
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            keys.append(list(constraint.columns.keys()))
    keys += [list(index.columns.keys()) for index in table.indexes if index.unique]
    assert all(columns[0] == key for columns in keys), keys


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_foreign_keys_stay_in_their_group_and_carry_its_key(table: sa.Table) -> None:
    for constraint in table.foreign_key_constraints:
        target = constraint.referred_table
        if group_of(target) is Group.REFERENCE or group_of(table) is Group.EXEMPT:
            continue
        assert group_of(target) is group_of(table), constraint.name
        assert next(iter(constraint.columns.keys())) == key_of(table), constraint.name


FEW = {
    "absence",
    "area_exemption",
    "binding",
    "filling_stop",
    "gas_batch_use",
    "licence",
    "registration_act",
    "site",
    "substitution",
}
"""Tables that grow with the firm, not with the city's homes, bottles and days: read whole in no time."""


@pytest.mark.parametrize("table", [one for one in TABLES if one.name not in FEW], ids=str)
def test_what_refers_to_a_row_is_found_by_it_however_many_there_are(table: sa.Table) -> None:
    """The rows of a home, a card, a hazard: without an index the whole city's would be read for them."""
    found_by = [list(table.primary_key.columns.keys())]
    found_by += [
        list(one.columns.keys()) for one in table.constraints if isinstance(one, sa.UniqueConstraint)
    ]
    found_by += [list(one.columns.keys()) for one in table.indexes if _holds_all_rows(one)]
    for constraint in table.foreign_key_constraints:
        if constraint.referred_table.name == "rulebook_edition":
            continue  # nobody asks for all that was judged by one
        asked = constraint.columns.keys()
        assert any(set(columns[: len(asked)]) == set(asked) for columns in found_by), constraint.name


SUBJECTS = {"account_id", "card_id", "household_id", "order_id", "person_id", "proxy_id"}
"""What pages and jobs ask by, where no foreign key says so: it would cross groups, or the rows are facts."""
NOT_ASKED_BY = {
    "banned_use": {"household_id"},
    "delivery": {"card_id"},
    "order_line": {"card_id"},  # but for those that are open, which have an index of their own
    "privacy_request": {"household_id"},
    "recall_task": {"card_id"},
    "round_change": {"order_id"},
    "staged_bottle": {"card_id"},
    "supply_order": {"account_id"},
    "zone_approval": {"order_id"},  # but with its round
}
"""Nobody asks for all that a home, a card or a person has here; whoever begins to, adds the index."""


OF_A_DISTRICT = [one for one in TABLES if group_of(one) is Group.DISTRICT]


@pytest.mark.parametrize("table", OF_A_DISTRICT, ids=str)
def test_what_names_a_home_a_card_or_a_person_is_found_by_it_too(table: sa.Table) -> None:
    """An index over some of the rows does not count: what is past is asked for as well.

    What is a person's or a bottle's has their id first in its key.
    """
    found_by = [list(table.primary_key.columns.keys())]
    found_by += [list(one.columns.keys()) for one in table.indexes if _holds_all_rows(one)]
    behind_the_key = [[one for one in columns if one != key_of(table)] for columns in found_by]
    found = {columns[0] for columns in behind_the_key if columns}
    assert SUBJECTS & set(table.columns.keys()) <= found | NOT_ASKED_BY.get(table.name, set())


def _holds_all_rows(index: sa.Index) -> bool:
    return index.dialect_options["postgresql"]["where"] is None


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_no_table_counts_its_ids_in_the_database(table: sa.Table) -> None:
    assert all(column.server_default is None and column.identity is None for column in table.columns)
    assert table.autoincrement_column is None or table.autoincrement_column.autoincrement is False


@pytest.mark.parametrize("table", [one for one in TABLES if "state" in one.columns], ids=str)
def test_every_state_has_a_machine(table: sa.Table) -> None:
    assert table.name in MACHINES or table.name == "outbox_delivery"


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_refusal_is_worded_in_two_languages_and_says_what_to_do(code: str) -> None:
    reason = CATALOGUE[code]
    assert re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", code)
    assert re.fullmatch(r"[A-Z][0-9]{2}", reason.rule)
    assert re.search(r"[\u4e00-\u9fff]", reason.zh)
    assert re.search(r"[a-z]", reason.en)
    for audience in Audience:
        cure = reason.cure_for(audience)
        assert cure.action
        assert re.search(r"[\u4e00-\u9fff]", cure.zh)
        assert re.search(r"[a-z]", cure.en)


@pytest.mark.parametrize("table", sorted(MACHINES))
def test_every_state_can_be_said_in_chinese(table: str) -> None:
    machine = MACHINES[table]
    states = {machine.initial, *(move.target for move in machine.moves)}
    assert {state.value for state in states} <= WORDS.keys()


def test_a_chinese_sentence_holds_no_english_words() -> None:
    stopped = CATALOGUE["premises.open_hazard"]
    said = stopped(grade="major", state="mended").worded(Audience.RESIDENT)
    assert re.search(r"[a-z]", said["zh"]) is None, said["zh"]
    assert "major" in said["en"]


def test_every_refusal_rests_on_a_rule_of_the_rulebook() -> None:
    """But for A09 (a gap between bookings), which no place of ours sets: it is never asked."""
    known = set(rulebook.current().names)
    assert {reason.rule for reason in CATALOGUE.values()} - known == {"A09"}


def routes(app: Flask) -> list[tuple[str, Rule, str]]:
    """(method, rule, verb) of everything under /api/v1."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1"):
            view = app.view_functions[rule.endpoint]
            for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
                found.append((method, rule, getattr(view, "verb", "")))
    return found


def an_address(rule: Rule) -> str:
    filled = re.sub(r"<uuid:\w+>", str(uuid4()), rule.rule)
    filled = re.sub(r"<int:\w+>", "310105", filled)
    return re.sub(r"<(\w+:)?\w+>", "NOTHING", filled)


def test_every_route_names_a_verb_and_every_verb_is_somebodys(app: Flask) -> None:
    named = {verb for _, _, verb in routes(app)}
    assert "" not in named
    named |= {verb for _, _, verb in pages(app)}
    assert named == {verb for verbs in RIGHTS.values() for verb in verbs}


def pages(app: Flask) -> Iterator[tuple[str, Rule, str]]:
    """Every page that names a verb: pages for people who are signed in."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if not rule.rule.startswith("/api/") and hasattr(view, "verb"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule, view.verb


OPEN_PAGES = {
    "/",
    "/healthz",
    "/metrics",
    "/privacy",
    "/register",
    "/register/sent",
    "/suppliers",
    "/sign-in",
    "/sign-in/code",
    "/sign-in/enrol",
    "/sign-in/phone",
    "/sign-in/phone/code",
    "/sign-in/phone/who",
    "/sign-out",
    "/act-as",
    "/large-type",
    "/demo/messages",
    *(f"/{letter}/{rest}" for letter in "Cc" for rest in ("", "<code>", "<code>/<tag>")),
    "/V/<code>",
    "/v/<code>",
    "/N/<code>",
    "/n/<code>",
}
"""Addresses outside the API that name no verb, one by one: whoever adds one says so here."""


def test_a_page_names_a_verb_or_is_one_of_the_open_ones(app: Flask) -> None:
    named = {rule.rule for _, rule, _ in pages(app)}
    others = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith(("/api/", "/static/")) and rule.rule not in named
    }
    assert others == OPEN_PAGES


def test_the_role_by_page_matrix(app: Flask, desk: Desk) -> None:
    """Nobody is sent to sign in; a role without the verb is told no; with it, no page is an error of ours."""
    cookies = {role: page_cookie(app, desk.sign_in(role).principal_id, desk) for role in Role}
    for method, rule, verb in pages(app):
        address = an_address(rule)
        nobody = app.test_client().open(address, method=method)
        assert nobody.status_code == 302, address
        assert "/sign-in" in nobody.headers["Location"], address
        for role, cookie in cookies.items():
            client = app.test_client()
            client.set_cookie("lpg", cookie)
            answer = client.open(address, method=method)
            assert answer.status_code < 500, (role, method, address, answer.text)
            if method == "POST":
                assert answer.status_code == 400, (role, address)  # without the form's token
            elif verb not in RIGHTS[role]:
                assert answer.status_code == 403, (role, address)
            else:
                assert answer.status_code != 403, (role, address)


def page_cookie(app: Flask, principal_id: UUID, desk: Desk) -> str:
    secret = sessions.open_session(desk.ground, principal_id, SignedInBy.PASSWORD_AND_CODE)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(signer.dumps({"secret": secret}))


def test_the_role_by_endpoint_matrix(app: Flask, desk: Desk) -> None:
    """Every role and nobody, on every route: 401, 403, or past the door; never an error of ours."""
    people = {role: desk.sign_in(role) for role in Role}
    for method, rule, verb in routes(app):
        address = an_address(rule)
        nobody = app.test_client().open(address, method=method, json={} if method == "POST" else None)
        assert nobody.status_code == 401, address
        for role, person in people.items():
            answer = person.post(address) if method == "POST" else person.get(address)
            if verb in RIGHTS[role]:
                assert answer.status_code not in (401, 403), (role, address)
            else:
                assert answer.status_code == 403, (role, address)
            assert answer.status_code < 500, (role, address, answer.text)
            if answer.status_code >= 400:
                assert answer.mimetype == "application/problem+json"


def test_another_district_is_not_there(app: Flask, desk: Desk) -> None:
    """Somebody of Qingpu finds nothing of Changning, whatever the verb."""
    people = {role: desk.sign_in(role, 310118, firm=uuid4()) for role in Role}
    for method, rule, verb in routes(app):
        if "<int:district>" not in rule.rule:
            continue
        for role, person in people.items():
            if verb in RIGHTS[role]:
                address = an_address(rule)
                answer = person.post(address) if method == "POST" else person.get(address)
                assert answer.status_code == 404, (role, address, answer.text)


def test_the_document_lists_exactly_the_routes(app: Flask) -> None:
    document = app.test_client().get("/api/openapi.json").json
    listed = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method in ("get", "post", "put", "patch", "delete")
    }
    standing = {(method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)) for method, rule, _ in routes(app)}
    assert listed == standing


def test_the_document_is_valid_openapi(app: Flask) -> None:
    openapi_spec_validator.validate(app.test_client().get("/api/openapi.json").json)

"""Hostile requests against every page that the application has, as its own map lists them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask, Request
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from core import passwords, sessions
from core.auth import Role
from core.ground import Ground
from core.sessions import SignedInBy
from dispatch.rounds.models import Round, RoundPlan
from dispatch.safety.models import Hazard, SafetyCheck
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from web.rights import RIGHTS

pytestmark = pytest.mark.slow

IDS = (
    "agency_id", "before", "binding_id", "check_id", "courier_id", "cylinder_ids", "device_id",
    "filler_id", "firm_id", "grant_id", "hold_id", "household", "household_id", "like", "line",
    "line_id", "person_id", "slot", "slot_id", "subject_id", "vehicle_id", "zone", "zone_id",
)  # fmt: skip
WORDS = (
    "action", "after-0", "announced_on", "back", "before-0", "booked", "cancelled_on", "capacity",
    "card", "card_ids", "code", "codes", "datum", "document_no", "done", "effective_on", "empty",
    "ended_on", "ends", "exception", "fill", "filled", "from", "from-0", "from_on", "full", "grade",
    "gross_g", "gross_g-0", "ground", "hose_length", "hose_length-measured", "hose_length.measured",
    "kind", "lat", "leak", "loaded", "login", "lon", "looked", "made_from", "made_until", "maker",
    "model", "name", "new", "note", "notice_no", "number", "old", "outcome", "outline", "overdue",
    "page", "password", "phone", "place", "plate", "problem", "proof", "purpose", "q", "reason",
    "reference", "residue_g-0", "row", "scale", "seal_no-0", "signature", "standard", "starts", "state",
    "step", "street", "tare_weighed_g", "tare_weighed_g-0", "until", "until-0", "until_on", "untold",
    "valid_from", "valid_until", "wave", "who", "why",
)  # fmt: skip
"""The fields that pages read: of an id, and of anything else."""

HOSTILE_AS_TIMES = ("9999-12-31", "12:00+23:59")  # as ids they are words like any other
HOSTILE = ("a\x00b", "9" * 700, "\ud800'; --{{7*7}}", *HOSTILE_AS_TIMES, "٣\u202e\U0001f4a5" * 6)

ELSEWHERE = (
    "//evil.example", "///evil.example", "/\\evil.example", "https://evil.example",
    "javascript:alert(1)", "/\t/evil.example", "\r\nLocation: https://evil.example",
    "/%2f%2fevil.example", "/sign-out", "@evil.example",
)  # fmt: skip


def pages(app: Flask) -> Iterator[tuple[str, Rule, str]]:
    """(method, rule, verb) of everything outside the API; no verb: an open page."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(("/api/", "/static/")):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule, getattr(app.view_functions[rule.endpoint], "verb", "")


class Attentive(Request):
    """Knows whether anything of what an address says after its question mark was read."""

    read: ClassVar[bool] = False

    @property
    def query_string(self) -> bytes:  # all that tells of it reads it here: args, values, full_path, url
        Attentive.read = True
        return self._said

    @query_string.setter
    def query_string(self, said: bytes) -> None:
        self._said = said


@dataclass
class Attacker:
    """A browser of somebody signed in, who may send what no form would."""

    app: Flask
    ground: Ground
    principal_id: UUID
    client: FlaskClient = field(init=False)
    token: str = field(init=False)
    sent: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        secret = sessions.open_session(self.ground, self.principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        self.client = self.app.test_client()
        self.client.set_cookie("lpg", str(signer.dumps({"secret": secret})))
        self.token = token_in(self.client.get("/sign-in"))

    def send(self, method: str, path: str, said: dict[str, str]) -> TestResponse:
        return self.send_raw(method, path, raw((self.form() if method == "POST" else {}) | said))

    def send_raw(self, method: str, path: str, said: str) -> TestResponse:
        """Bytes as they are, lone surrogates too; each from an address that no limit knows yet."""
        self.sent += 1
        whence = {"REMOTE_ADDR": f"10.{self.sent >> 16}.{self.sent >> 8 & 255}.{self.sent & 255}"}
        if method == "POST":
            kind = "application/x-www-form-urlencoded"
            return self.client.post(path, data=said, content_type=kind, environ_base=whence)
        return self.client.get(path, query_string=said, environ_base=whence)

    def form(self) -> dict[str, str]:
        return {"csrf_token": self.token, "form_key": uuid4().hex}


def raw(said: dict[str, str]) -> str:
    return urlencode(said, errors="surrogatepass")


def token_in(page: TestResponse) -> str:
    return str(re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0])


def address(rule: Rule, word: str, **ids: Any) -> str:
    named = re.sub(r"<uuid:(\w+)>", lambda found: str(ids.get(found[1], uuid4())), rule.rule)
    named = re.sub(r"<int:\w+>", "1", named)
    return re.sub(r"<(\w+:)?\w+>", quote(word[:200], safe="", errors="surrogatepass"), named)


def takes_words(rule: Rule) -> bool:
    """Whether its address has a place for any word, not only for ids and numbers."""
    return re.search(r"<(?!uuid:|int:)", rule.rule) is not None


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def principals(day: WorkingDay) -> dict[Role, UUID]:
    desk, cast = day.desk, day.cast
    return {
        Role.RESIDENT: day.resident(day.home()).principal_id,
        Role.COURIER: day.courier.principal_id,
        Role.FILLER: cast.filler.principal_id,
        Role.CLERK: cast.clerk.principal_id,
        Role.DISPATCHER: cast.dispatcher.principal_id,
        Role.REGULATOR: desk.sign_in(Role.REGULATOR, district="310105").principal_id,
        Role.AGENCY: desk.sign_in(Role.AGENCY).principal_id,
        Role.ADMINISTRATOR: desk.sign_in(Role.ADMINISTRATOR).principal_id,
    }


def test_no_page_breaks_on_hostile_words(
    app: Flask, ground: Ground, day: WorkingDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every field at once; then with a true day and true ids, so that the rest is read too.

    A page that has read nothing of what we say is asked with other words only at the end, when whatever
    was taken stands there to be shown: before, it would be the same request.
    """
    monkeypatch.setattr(app, "request_class", Attentive)
    people = {role: Attacker(app, ground, one) for role, one in principals(day).items()}
    broken, held_off, deaf = [], set[str](), list[tuple[Attacker, Rule]]()

    def ask(attacker: Attacker, method: str, rule: Rule, word: str, said: str) -> None:
        if method == "POST":
            said = f"{raw(attacker.form())}&{said}"
        answer = attacker.send_raw(method, address(rule, word), said)
        if answer.status_code >= 500:
            broken.append((method, rule.rule, word, answer.status_code))
        if answer.status_code == 429:
            held_off.add(rule.rule)
        assert "no-store" in answer.headers["Cache-Control"], rule.rule
        if answer.mimetype == "text/html" and answer.status_code not in (302, 303):
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"], rule.rule

    sent = [(word, raw(said)) for word in HOSTILE for said in in_every_field(word)]
    for method, rule, verb in pages(app):
        if rule.rule == "/sign-out":
            continue
        role = next(role for role in people if not verb or verb in RIGHTS[role])
        for word, said in sent:
            Attentive.read = False
            ask(people[role], method, rule, word, said)
            if method == "GET" and not Attentive.read and not takes_words(rule):
                deaf.append((people[role], rule))
                break
    assert "/dispatch/slots" not in {rule.rule for _, rule in deaf}, "it reads its day"
    for attacker, rule in deaf:
        ask(attacker, "GET", rule, *sent[-1])
    assert not broken
    assert not held_off, "what is held off reads nothing"


def in_every_field(word: str) -> Iterator[dict[str, str]]:
    everywhere = dict.fromkeys((*IDS, *WORDS, "day", "next"), word)
    if word not in HOSTILE_AS_TIMES:
        yield everywhere
    yield everywhere | {name: str(uuid4()) for name in IDS} | {"day": "2024-06-12", "next": "/"}


def test_a_form_without_this_browsers_token_does_nothing(app: Flask, ground: Ground, day: WorkingDay) -> None:
    """Every POST there is, open pages too, as form and as JSON; nor does another browser's token help."""
    people = {role: Attacker(app, ground, one) for role, one in principals(day).items()}
    foreign = Attacker(app, ground, uuid4()).token
    for method, rule, verb in pages(app):
        if method != "POST":
            continue
        role = next(role for role in people if not verb or verb in RIGHTS[role])
        for token in ("", foreign):
            said = {"csrf_token": token, "form_key": "a-form-key-1"}
            path = address(rule, "NOTHING")
            for sent in ({"data": said}, {"json": said, "headers": {"X-CSRFToken": token}}):
                answer = people[role].client.post(path, **sent)  # type: ignore[arg-type]
                assert answer.status_code == 400, (path, answer.status_code)


def test_what_is_not_ones_own_is_not_there(app: Flask, ground: Ground, desk: Desk, day: WorkingDay) -> None:
    """Ids of one firm's day in the addresses of every page, asked for by strangers of the same roles."""
    booked = day.order()
    plan = day.plan()
    with ground.sessions() as db:
        standing = {
            "order_id": booked.order_id,
            "line_id": booked.line_ids[0],
            "household_id": booked.home.users.household_id,
            "plan_id": plan["id"],
            "binding_id": day.bound.binding_id,
            "slot_id": day.slot(),
            "vehicle_id": day.vehicle_id,
            "round_id": db.scalar(sa.select(Round.id)) or uuid4(),
            "hazard_id": db.scalar(sa.select(Hazard.id)) or uuid4(),
            "check_id": db.scalar(sa.select(SafetyCheck.id)) or uuid4(),
        }
    other_firm = day.cast.another_firm()
    strangers = {
        Role.RESIDENT: day.resident(day.home()),
        Role.COURIER: desk.sign_in(Role.COURIER, courier=uuid4()),
        Role.FILLER: desk.sign_in(Role.FILLER, site=uuid4()),
        Role.CLERK: desk.sign_in(Role.CLERK, firm=other_firm),
        Role.DISPATCHER: desk.sign_in(Role.DISPATCHER, firm=other_firm),
        Role.REGULATOR: desk.sign_in(Role.REGULATOR, 310118, district="310118"),
    }
    for role, person in strangers.items():
        here = Attacker(app, ground, person.principal_id)
        for method, rule, verb in pages(app):
            if verb in RIGHTS[role] and "<uuid:" in rule.rule:
                path = address(rule, "NOTHING", **standing)
                answer = here.send(method, path, {})
                unread = method == "POST" and answer.status_code == 422  # its fields come before its address
                assert answer.status_code == 404 or unread, (role, method, path)
    with ground.sessions() as db:
        assert db.get_one(RoundPlan, (310105, UUID(plan["id"]))).state == "proposed"


def test_where_one_goes_after_signing_in_is_a_page_of_ours(
    app: Flask, ground: Ground, day: WorkingDay
) -> None:
    person = Attacker(app, ground, day.dispatcher.principal_id)
    for wanted in ELSEWHERE:
        gone = person.send("POST", "/large-type", {"step": "large", "next": wanted})
        assert (gone.status_code, gone.headers["Location"]) == (302, "/"), wanted
    kept = person.send("POST", "/large-type", {"step": "", "next": "/dispatch/slots?day=2024-06-12"})
    assert kept.headers["Location"] == "/dispatch/slots?day=2024-06-12"


def test_a_form_that_came_too_late_leads_back_to_a_page(app: Flask, ground: Ground, day: WorkingDay) -> None:
    """Where a form goes nobody can be sent back to: after signing in the person's own first page stands."""
    password = "correct horse battery"
    with ground.sessions() as db:
        passwords.enter(db, day.dispatcher.principal_id, "somebody", password)
        db.commit()
    client = app.test_client()
    late = client.post("/dispatch/plan-jobs", data={"zone_id": str(uuid4())})
    token = token_in(client.get(late.headers["Location"]))
    said = {"csrf_token": token, "login": "somebody", "password": password}
    into = client.post(late.headers["Location"], data=said)
    assert (into.status_code, into.headers["Location"]) == (302, "/dispatch/")


def test_a_session_that_was_there_before_signing_in_is_not_used_and_ends(
    app: Flask, ground: Ground, day: WorkingDay
) -> None:
    password = "correct horse battery"
    with ground.sessions() as db:
        passwords.enter(db, day.dispatcher.principal_id, "somebody", password)
        db.commit()
    planted = Attacker(app, ground, day.courier.principal_id)
    before = planted.client.get_cookie("lpg")
    said = {"login": "somebody", "password": password}
    assert planted.send("POST", "/sign-in", said).headers["Location"] == "/dispatch/"
    after = planted.client.get_cookie("lpg")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    old = app.test_client()
    old.set_cookie("lpg", before.value)
    assert "/sign-in" in old.get("/courier/").headers["Location"], "a copy of the old cookie opens nothing"


def test_a_pages_cookie_opens_no_route_of_the_api(app: Flask, ground: Ground, day: WorkingDay) -> None:
    """So that no foreign page can make a browser write there: there is no token to forge."""
    somebody = Attacker(app, ground, day.dispatcher.principal_id)
    sent = somebody.client.post(
        "/api/v1/districts/310105/slots", json={}, headers={"Idempotency-Key": "k" * 9}
    )
    assert sent.status_code == 401


def test_a_key_that_was_used_answers_no_other_form(app: Flask, ground: Ground, day: WorkingDay) -> None:
    somebody = Attacker(app, ground, day.dispatcher.principal_id)
    form = {"zone_id": str(day.bound.zone_id), "day": "2024-06-12", "form_key": "the-same-key-1"}
    first = form | {"starts": "14:00", "ends": "16:00", "capacity": "3"}
    assert somebody.send("POST", "/dispatch/slots", first).status_code == 303
    assert somebody.send("POST", "/dispatch/slots", first).status_code == 303
    assert somebody.send("POST", "/dispatch/slots", first | {"capacity": "4"}).status_code == 422
    other_way = somebody.send("POST", f"/dispatch/slots/{day.slot()}/close", form)
    assert other_way.status_code == 422

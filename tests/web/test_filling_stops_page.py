"""The regulator's page of filling stations: what is stopped and why, stop, release; who sees none of it."""

import re
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import sessions
from core.auth import Role
from core.ground import Ground
from core.ids import new_id
from core.sessions import SignedInBy
from cylinders.filling_models import FillingStop
from tests.cast import Cast
from tests.cylinders.cast import Bottles
from tests.desk import Desk


class Desktop:
    """A regulator's browser on this page."""

    def __init__(self, app: Flask, ground: Ground, principal_id: UUID):
        self.client: FlaskClient = app.test_client()
        secret = sessions.open_session(ground, principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        self.client.set_cookie("lpg", signer.dumps({"secret": secret}))

    def get(self) -> TestResponse:
        return self.client.get("/oversight/stations/")

    def post(self, path: str, **form: str) -> TestResponse:
        hidden = re.findall(r'name="(csrf_token|form_key)" value="([^"]+)"', self.get().text)
        data = {"form_key": "form-key-0001", **dict(hidden), **form}
        return self.client.post(f"/oversight/stations/{path}", data=data)


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def bottles(cast: Cast) -> Bottles:
    return Bottles(cast)


@pytest.fixture
def regulator(app: Flask, ground: Ground, cast: Cast) -> Desktop:
    cast.filling_station()
    return Desktop(app, ground, cast.regulator.principal_id)


def stops(db: Session) -> list[tuple[str, str, bool]]:
    """Reason, paper, and whether it stands, of each."""
    db.rollback()
    rows = db.scalars(sa.select(FillingStop).order_by(FillingStop.from_at, FillingStop.id))
    return [(one.reason.value, one.reference, one.until_at is None) for one in rows]


def test_a_station_is_stopped_with_a_reason_and_let_go_on(
    regulator: Desktop, cast: Cast, bottles: Bottles, db: Session
) -> None:
    site, code = cast.filling_station(), bottles.empty().code
    assert "在充装" in regulator.get().text
    assert regulator.post(f"{site}/stops", reason="unsafe", reference="TC-7").status_code == 303
    page = regulator.get().text
    assert "已停充" in page
    assert "TC-7" in page
    assert not bottles.verdict(code, purpose="fill")["allowed"]
    [lifted] = re.findall(rf"{site}/stops/([0-9a-f-]+)/releases", page)
    again = regulator.post(f"{site}/stops", reason="unsafe", reference="TC-8")
    assert again.status_code == 409
    assert "已经停充" in again.text
    assert stops(db) == [("unsafe", "TC-7", True)]
    assert regulator.post(f"{site}/stops/{lifted}/releases", reference="JC-7").status_code == 303
    assert stops(db) == [("unsafe", "TC-7", False)]
    assert bottles.verdict(code, purpose="fill")["allowed"]
    assert regulator.post(f"{site}/stops/{lifted}/releases", reference="JC-8").status_code == 409


def test_one_scale_is_stopped_and_the_station_still_fills(
    regulator: Desktop, cast: Cast, db: Session
) -> None:
    site = cast.filling_station()
    [scale] = re.findall(r'<option value="([0-9a-f-]{36})">秤', regulator.get().text)
    asked = {"scale_id": scale, "reason": "scale_wrong", "reference": "TC-9"}
    assert regulator.post(f"{site}/stops", **asked).status_code == 303
    page = regulator.get().text
    assert "已停用" in page
    assert "在充装" in page
    assert stops(db) == [("scale_wrong", "TC-9", True)]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"reason": "unsafe"},
        {"reason": "bored", "reference": "TC-1"},
        {"reason": "unsafe", "reference": "文 号"},
        {"reason": "unsafe", "reference": "x" * 65},
        {"reason": "unsafe", "reference": "TC-1", "scale_id": "x"},
        {"reason": "unsafe", "reference": "TC-1", "scale_id": str(new_id())},
    ],
)
def test_a_wrong_form_is_said_and_stops_nothing(
    regulator: Desktop, cast: Cast, db: Session, form: dict[str, str]
) -> None:
    answer = regulator.post(f"{cast.filling_station()}/stops", **form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert stops(db) == []


def test_another_districts_station_is_neither_shown_nor_stopped(
    app: Flask, ground: Ground, regulator: Desktop, desk: Desk, cast: Cast, db: Session
) -> None:
    elsewhere = Desktop(app, ground, Cast(desk, 310118).regulator.principal_id)
    site = cast.filling_station()
    assert str(site) not in elsewhere.get().text
    assert str(site) in regulator.get().text
    assert elsewhere.post(f"{site}/stops", reason="unsafe", reference="TC-1").status_code == 404
    assert stops(db) == []
    for role in (Role.FILLER, Role.CLERK):
        who = cast.filler if role is Role.FILLER else cast.clerk
        assert Desktop(app, ground, who.principal_id).get().status_code == 403

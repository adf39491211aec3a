"""A voucher for each bottle handed over: what it says, that it is genuine, and what it never says."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.auth import Role
from core.ground import Ground
from core.ids import new_id
from core.sealed import Keyring, Purpose
from cylinders.models import Filling
from cylinders.paper_code import LENGTH, POINTER_SYMBOLS
from dispatch.deliveries.models import Delivery
from dispatch.deliveries.vouchers import VOUCHER
from evidence.models import Entry
from oversight.probes import UNCONFIRMED
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import Booked, Bottle, WorkingDay
from tests.web.test_public_page import statements


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def filled(day: WorkingDay, bottle: Bottle, *, days_ago: int = 1, net_g: int = 14_600) -> None:
    """As its station weighed it; entered by the test itself."""
    with day.desk.ground.sessions() as db:
        db.add(
            Filling(
                cylinder_id=bottle.cylinder_id,
                id=new_id(),
                district=310105,
                site_id=day.cast.filling_station(),
                filler_id=new_id(),
                scale="S-1",
                tare_weighed_g=16_500,
                residue_g=0,
                net_g=net_g,
                gross_g=16_500 + net_g,
                checks_before=[],
                checks_after=[],
                seal_no="YLF-1",
                decision_id=new_id(),
                filled_at=THE_DAY - timedelta(days=days_ago),
                recorded_at=THE_DAY,
                flags=[],
            )
        )
        db.commit()


def vouchers(day: WorkingDay, booked: Booked) -> list[dict[str, Any]]:
    path = day.at(f"orders/{booked.order_id}/vouchers")
    return list(day.resident(booked.home).get(path).json["items"])


def scanned(app: Flask, path: str, address: str = "192.0.2.7") -> TestResponse:
    return app.test_client().get(path, environ_base={"REMOTE_ADDR": address})


def word(answer: TestResponse) -> str:
    found = re.search(r'<h1 id="word">.*?</span> (.*?) <span', answer.text)
    assert found, answer.text
    return found[1]


def test_a_bottle_handed_over_has_a_voucher_that_is_genuine_and_says_nothing_of_whose_it_is(
    app: Flask, day: WorkingDay, desk: Desk
) -> None:
    booked, bottle, _ = day.loaded()
    filled(day, bottle)
    assert vouchers(day, booked) == [], "nothing was handed over yet"
    made(day.deliver(booked, day.report(booked, bottle)))
    [voucher] = vouchers(day, booked)
    assert (voucher["cylinder_code"], voucher["net_g"], voucher["filled_on"]) == (
        bottle.code,
        14_600,
        "2024-06-11",
    )
    assert voucher["filler"].startswith("样例燃气")
    assert (voucher["due_on"], voucher["is_held"]) == ("2027-05-10", True)
    assert re.fullmatch(r"20240612-[0-9A-F]{8}", voucher["number"])
    path = "/V/" + voucher["address"].split("/V/")[1]
    for asked in (path, path.lower(), f"{path}/"):
        page = scanned(app, asked)
        assert (page.status_code, word(page)) == (200, "凭证属实"), asked
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        for said in (voucher["number"], "14.6 kg", "2024年6月11日", "2027年5月10日", "样例燃气"):
            assert said in page.text, said
    text, users = page.text.replace(voucher["code"], ""), booked.home.users
    for secret in (users.household_id, users.card_ids[0], booked.order_id, day.bound.courier_id, day.plate):
        assert str(secret) not in text
    for secret in ("样例住户", "310105", "长宁", "138****", "13810"):  # as every telephone of the cast begins
        assert secret not in text
    mine = day.at(f"orders/{booked.order_id}/vouchers")
    assert desk.sign_in(Role.RESIDENT, person=uuid4()).get(mine).status_code == 404
    assert day.cast.clerk.get(mine).status_code == 200
    assert day.courier.get(mine).status_code == 403


def test_it_tells_that_the_bottle_has_gone_back_and_still_what_it_was(app: Flask, day: WorkingDay) -> None:
    booked, bottle, first_round = day.loaded()
    filled(day, bottle)
    made(day.deliver(booked, day.report(booked, bottle)))
    [before] = vouchers(day, booked)
    made(day.bring_back(first_round, booked.home.empties[0]))
    made(day.finish(first_round))
    again = day.order(replace(booked.home, empties=[bottle.code]))
    round_id, fresh = day.round(wave=2), day.bottle()
    made(day.load(round_id, again.line_ids[0], fresh.code))
    made(day.deliver(again, day.report(again, fresh)))
    [after] = vouchers(day, booked)
    assert after == before | {"is_held": False}
    page = scanned(app, f"/V/{before['code']}")
    assert (page.status_code, word(page)) == (200, "凭证属实，瓶已收回")
    filled(day, fresh, days_ago=-1, net_g=14_000)
    [refilled] = vouchers(day, again)
    assert (refilled["net_g"], refilled["is_held"]) == (None, False), "a later filling is none of its own"


# --- codes that are nobody's ------------------------------------------------------------------------------


def forged(code: str) -> str:
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def test_unknown_forged_and_misshapen_codes_are_one_answer_by_the_same_statements(
    app: Flask, day: WorkingDay, ground: Ground, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    genuine = vouchers(day, booked)[0]["code"]
    asked = {
        "known": genuine,
        "forged": forged(genuine),
        "of no delivery": VOUCHER.code_of(ground.keyring, 310105, uuid4()),
        "of another keyring": VOUCHER.code_of(Keyring.fresh(), 310105, db.scalar(sa.select(Delivery.id))),
        "of another district": VOUCHER.code_of(ground.keyring, 310118, db.scalar(sa.select(Delivery.id))),
        "too short": genuine[:-1],
        "too long": genuine + "0",
        "no symbols of ours": "I" * LENGTH,
        "nothing like it": "x",
    }
    heard: dict[str, list[str]] = {}
    pages: dict[str, tuple[int, str]] = {}
    for name, code in asked.items():
        scanned(app, f"/V/{code}", address="198.51.100.9")
        with statements(ground) as said:
            page = scanned(app, f"/V/{code}", address="198.51.100.9")
        heard[name] = [one for one in said if "tried" not in one]
        text = page.text.replace(f"/V/{code}", "PATH")
        pages[name] = (page.status_code, re.sub(r'value="[^"]*"', "", text))
    assert heard["known"]
    assert all(said == heard["known"] for said in heard.values())
    assert pages.pop("known")[0] == 200
    assert len(set(pages.values())) == 1
    assert pages["forged"][0] == 404
    for code in ("%00", "x" * 3000, "%F0%9F%98%80", "'; DROP TABLE delivery; --", "%ED%A0%80"):
        assert scanned(app, f"/V/{code}").status_code == 404, code
    prober = "192.0.2.9"
    before = db.scalar(sa.select(sa.func.count()).select_from(Entry))
    for _ in range(UNCONFIRMED.most):
        assert scanned(app, f"/V/{forged(genuine)}", prober).status_code == 404
    for path in (f"/V/{forged(genuine)}", f"/V/{genuine}", f"/C/{bottle.code}"):
        assert scanned(app, path, prober).status_code == 429, "stopped on both pages"
    assert scanned(app, f"/V/{genuine}", address="192.0.2.8").status_code == 200
    assert db.scalar(sa.select(sa.func.count()).select_from(Entry)) == (before or 0) + 1, "the alarm"


# --- the code itself --------------------------------------------------------------------------------------


def test_a_code_leads_to_its_delivery_under_every_key_that_lives() -> None:
    keyring, delivery = Keyring.fresh(), new_id()
    code = VOUCHER.code_of(keyring, 310105, delivery)
    assert len(code) == LENGTH
    assert VOUCHER.row_behind(keyring, code) == (310105, delivery)
    turned = keyring.with_new_key(Purpose.LABEL)
    assert VOUCHER.code_of(turned, 310105, delivery) != code
    assert VOUCHER.row_behind(turned, code) == (310105, delivery)
    retired = turned.without_key(Purpose.LABEL, 1)
    assert VOUCHER.row_behind(retired, code) is None


def test_no_symbol_of_a_code_can_be_changed() -> None:
    keyring, delivery = Keyring.fresh(), new_id()
    code = VOUCHER.code_of(keyring, 310105, delivery)
    for place, symbol in enumerate(code):
        other = "0" if symbol != "0" else "1"
        assert VOUCHER.row_behind(keyring, code[:place] + other + code[place + 1 :]) is None


def test_two_deliveries_have_two_codes(ground: Ground) -> None:
    codes = {VOUCHER.code_of(ground.keyring, 310105, UUID(int=n)) for n in range(50)}
    assert len(codes) == 50
    assert {code[:POINTER_SYMBOLS] for code in codes} != codes

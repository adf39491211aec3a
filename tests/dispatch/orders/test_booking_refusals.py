"""Each rule of the booking and premises gates, once through HTTP: refused, kept, and nothing written."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ids import new_id
from cylinders.models import CustodyConflict, Cylinder
from cylinders.states import CylinderState
from dispatch.orders.models import Order, OrderLine, Slot
from evidence.models import Entry, Outcome
from registry.models import Account, Card, Licence, LicenceKind, Premises
from registry.premises_models import AreaExemption, ExemptionGround, FreeArea
from registry.states import AccountState, CardState
from rulebook.models import Decision
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.checklist import answers, check
from tests.dispatch.town import CHANGNING, LARGE, LONG_AGO, TODAY, TOMORROW, Home, Town, codes

DISTRICT = "/api/v1/districts/310105"


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


def identity(town: Town, home: Home, **change: Any) -> None:
    with town.ground.sessions() as db:
        town.verify(db, home.person, **change)
        db.commit()


def paper_ends(town: Town, kind: LicenceKind, day: date) -> None:
    with town.ground.sessions() as db:
        db.execute(sa.update(Licence).where(Licence.kind == kind).values(valid_until=day))
        db.commit()


def second_zone(town: Town) -> UUID:
    zone = new_id()
    with town.ground.sessions() as db:
        town.add_zone(db, zone, number=2, west=121.44)
        db.commit()
    return zone


def declared(town: Town, **days: date) -> UUID:
    """An area over the whole town that binds from long ago, without an end."""
    ring = [[121.3, 31.1], [121.5, 31.1], [121.5, 31.3], [121.3, 31.3], [121.3, 31.1]]
    long_ago = {"announced_on": date(2024, 1, 1), "effective_on": date(2024, 2, 1), "ended_on": None}
    declared_id = new_id()
    with town.ground.sessions() as db:
        db.add(
            FreeArea(
                district=CHANGNING,
                id=declared_id,
                name="area",
                notice_no="GG-1",
                outline={"type": "Polygon", "coordinates": [ring]},
                recorded_at=LONG_AGO,
                **long_ago | days,
            )
        )
        db.commit()
    return declared_id


def exempted(town: Town, home: Home, *, until: date) -> None:
    area_id = declared(town)
    with town.ground.sessions() as db:
        db.add(
            AreaExemption(
                district=CHANGNING,
                id=new_id(),
                area_id=area_id,
                premises_id=home.premises,
                ground=ExemptionGround.HARDSHIP,
                document_no="HM-1",
                valid_from=date(2024, 2, 1),
                valid_until=until,
                granted_by=new_id(),
                recorded_at=LONG_AGO,
            )
        )
        db.commit()


Wrong = Callable[[Town, Home, UUID], Any]

RESIDENT_CASES: list[tuple[str, Wrong, list[str]]] = [
    (
        "A01",
        lambda t, h, s: t.change(Account, h.account, state=AccountState.SUSPENDED),
        ["account.suspended"],
    ),
    ("A01", lambda t, h, s: t.change(Account, h.account, state=AccountState.CLOSED), ["account.closed"]),
    ("A04", lambda t, h, s: t.change(Card, h.cards[0], state=CardState.LOST), ["card.not_active"]),
    ("A04", lambda t, h, s: t.change(Card, h.cards[0], state=CardState.BLOCKED), ["card.not_active"]),
    ("A05", lambda t, h, s: identity(t, h, passed=False), ["identity.not_verified"]),
    ("A05", lambda t, h, s: identity(t, h, until=TODAY), ["identity.document_expired"]),
    ("A10", lambda t, h, s: t.change(Slot, s, closed=True), ["slot.closed"]),
    ("A10", lambda t, h, s: t.change(Slot, s, taken=10), ["slot.full"]),
    ("A10", lambda t, h, s: t.change(Premises, h.premises, lon=121.45), ["slot.other_zone"]),
    ("A10", lambda t, h, s: t.change(Slot, s, zone_id=second_zone(t)), ["slot.other_zone"]),
    ("A12", lambda t, h, s: paper_ends(t, LicenceKind.GAS_BUSINESS, TODAY), ["firm.no_gas_licence"]),
    ("A12", lambda t, h, s: paper_ends(t, LicenceKind.SITE_PERMIT, TODAY), ["site.no_permit"]),
    ("P03", lambda t, h, s: t.change(Premises, h.premises, height_m=28), ["premises.high_rise"]),
    ("P04", lambda t, h, s: t.change(Premises, h.premises, floor_kind="basement"), ["premises.below_ground"]),
    ("P05", lambda t, h, s: t.change(Premises, h.premises, floor_kind="garage"), ["premises.garage"]),
    (
        "P09",
        lambda t, h, s: t.change(Premises, h.premises, bottle_place="bedroom"),
        ["premises.bottle_in_lived_in_room"],
    ),
    (
        "P09",
        lambda t, h, s: t.change(Premises, h.premises, other_fuel_in_room=True),
        ["premises.other_fuel_in_room"],
    ),
    ("P14", lambda t, h, s: declared(t, effective_on=TOMORROW), ["premises.lpg_free_area"]),
    ("P14", lambda t, h, s: declared(t, ended_on=TOMORROW), ["premises.lpg_free_area"]),
    ("P14", lambda t, h, s: exempted(t, h, until=TODAY), ["premises.lpg_free_area"]),
]


@pytest.mark.parametrize(
    "harmless",
    [
        lambda t, h: declared(t, effective_on=TOMORROW + timedelta(days=1)),
        lambda t, h: declared(t, ended_on=TODAY),
        lambda t, h: exempted(t, h, until=TOMORROW),
        lambda t, h: t.change(Premises, h.premises, bottle_place="kitchen", rental="single_room"),
    ],
    ids=["not yet in force", "ended before", "exempt", "not asked here"],
)
def test_an_area_binds_from_its_day_to_its_end_unless_the_place_is_exempt(
    town: Town, clerk: Person, harmless: Callable[[Town, Home], Any]
) -> None:
    home, slot = town.home(), town.slot()
    harmless(town, home)
    assert clerk.post(f"{DISTRICT}/orders", home.booking(slot)).status_code == 201


def nothing_written(db: Session) -> None:
    """No order, no line, no room taken; but the refusal's entry and both decisions."""
    assert not db.scalars(sa.select(Order)).all()
    assert not db.scalars(sa.select(OrderLine)).all()
    [entry] = db.scalars(sa.select(Entry)).all()
    assert (entry.verb, entry.outcome) == ("order.book", Outcome.REFUSED)
    assert entry.refusal_no
    decisions = {one.gate: one for one in db.scalars(sa.select(Decision))}
    assert decisions.keys() == {"booking", "premises"}


@pytest.mark.parametrize(
    ("rule", "wrong", "refused"), RESIDENT_CASES, ids=lambda one: None if callable(one) else str(one)[:30]
)
def test_a_resident_is_refused(
    town: Town, clerk: Person, db: Session, rule: str, wrong: Wrong, refused: list[str]
) -> None:
    home, slot = town.home(), town.slot()
    wrong(town, home, slot)
    taken = db.get_one(Slot, (CHANGNING, slot)).taken
    answer = clerk.post(f"{DISTRICT}/orders", home.booking(slot))
    assert codes(answer) == refused
    assert [reason["rule"] for reason in answer.json["reasons"]] == [rule]
    assert answer.json["reasons"][0]["basis"]["document"]
    db.expire_all()
    assert db.get_one(Slot, (CHANGNING, slot)).taken == taken
    nothing_written(db)


BUSINESS_CASES: list[tuple[str, dict[str, Any], Wrong, list[str]]] = [
    ("A08", {"contract": False}, lambda t, h, s: None, ["contract.none_in_force"]),
    ("A08", {}, lambda t, h, s: t.contract(h, firm=t.other_firm), ["contract.second_supplier"]),
    ("A13", {"cards": 5, "has_cylinder_room": False}, lambda t, h, s: None, ["booking.over_weight_limit"]),
    (
        "P11",
        {"model": LARGE, "cards": 1, "has_cylinder_room": None},
        lambda t, h, s: None,
        ["premises.large_bottle_indoors"],
    ),
    (
        "P08",
        {"bottle_place": "dining_area"},
        lambda t, h, s: None,
        ["premises.bottle_in_dining_area"],
    ),
    ("P10", {"leak_alarm": False}, lambda t, h, s: None, ["premises.no_leak_alarm"]),
    (
        "P11",
        {"crowded": True, "leak_alarm": True, "has_cylinder_room": None},
        lambda t, h, s: None,
        ["premises.crowded_indoors"],
    ),
]


@pytest.mark.parametrize(
    ("rule", "change", "wrong", "refused"),
    BUSINESS_CASES,
    ids=lambda one: None if callable(one) else str(one)[:30],
)
def test_a_business_is_refused(
    town: Town,
    clerk: Person,
    db: Session,
    rule: str,
    change: dict[str, Any],
    wrong: Wrong,
    refused: list[str],
) -> None:
    noodles, slot = town.restaurant(**change), town.slot()
    wrong(town, noodles, slot)
    answer = clerk.post(f"{DISTRICT}/orders", noodles.booking(slot))
    assert codes(answer) == refused
    assert [reason["rule"] for reason in answer.json["reasons"]] == [rule]
    nothing_written(db)


def test_at_the_weight_limit_is_allowed(town: Town, clerk: Person) -> None:
    noodles = town.restaurant(cards=4, has_cylinder_room=False)
    assert clerk.post(f"{DISTRICT}/orders", noodles.booking(town.slot())).status_code == 201


def test_what_other_cards_hold_and_await_counts_for_the_limit(town: Town, clerk: Person) -> None:
    noodles = town.restaurant(cards=5, has_cylinder_room=False)
    one = noodles.booking(town.slot(), card_ids=[str(noodles.cards[0])])
    refused = clerk.post(f"{DISTRICT}/orders", one)
    assert codes(refused) == ["booking.over_weight_limit"]
    assert refused.json["reasons"][0]["facts"] == {"limit_g": 60_000, "stored_g": 5 * 14_900}


def test_no_purpose_is_refused_by_law_and_kept(town: Town, clerk: Person, db: Session) -> None:
    body = town.home().booking(town.slot())
    del body["purpose"]
    assert codes(clerk.post(f"{DISTRICT}/orders", body)) == ["booking.purpose_missing"]
    nothing_written(db)


def test_no_bottle_and_no_reason_for_it_is_refused(town: Town, clerk: Person, db: Session) -> None:
    home = town.home(holding=False)
    assert codes(clerk.post(f"{DISTRICT}/orders", home.booking(town.slot()))) == ["card.no_bottle_held"]
    nothing_written(db)


def test_a_claim_in_dispute_counts_as_a_bottle_held(town: Town, clerk: Person) -> None:
    home = town.home(holding=False)
    bottle = new_id()
    with town.ground.sessions() as db:
        db.add(
            Cylinder(
                cylinder_id=bottle,
                model="YSP35.5",
                state=CylinderState.IN_SERVICE,
                max_fill_g=14_900,
                made_precision="month",
                extension_assessed=False,
                extension_registered=False,
                illegal_make=False,
                screwed_guard=False,
                scrap_ordered=False,
                recorded_at=LONG_AGO,
            )
        )
        db.flush()
        db.add(
            CustodyConflict(
                cylinder_id=bottle,
                id=new_id(),
                fact_id=new_id(),
                district=CHANGNING,
                card_id=home.cards[0],
                found_at=LONG_AGO,
            )
        )
        db.commit()
    assert clerk.post(f"{DISTRICT}/orders", home.booking(town.slot())).status_code == 201


def test_a_slot_that_has_begun_is_past(town: Town, clerk: Person) -> None:
    slot = town.slot(day=TODAY, hour=8)
    assert codes(clerk.post(f"{DISTRICT}/orders", town.home().booking(slot))) == ["slot.past"]


def test_a_slot_outside_the_zone_s_hours_is_refused(town: Town, clerk: Person) -> None:
    slot = town.slot(hour=18)
    assert codes(clerk.post(f"{DISTRICT}/orders", town.home().booking(slot))) == ["slot.outside_hours"]


def test_a_zone_of_another_supplier_is_refused(town: Town, clerk: Person) -> None:
    home = town.home(lon=121.46)
    zone = new_id()
    with town.ground.sessions() as db:
        town.add_zone(db, zone, number=2, west=121.44, firm=town.other_firm)
        db.commit()
    slot = town.slot(zone_id=zone)
    assert codes(clerk.post(f"{DISTRICT}/orders", home.booking(slot))) == ["slot.other_supplier"]


def test_after_the_clear_out_day_a_restaurant_is_refused_by_the_day_of_delivery(
    town: Town, clerk: Person, db: Session
) -> None:
    noodles = town.restaurant()
    last, after = town.slot(day=date(2024, 12, 31)), town.slot(day=date(2025, 1, 1))
    assert codes(clerk.post(f"{DISTRICT}/orders", noodles.booking(after))) == [
        "premises.non_resident_cleared"
    ]
    nothing_written(db)
    assert clerk.post(f"{DISTRICT}/orders", noodles.booking(last)).status_code == 201


def test_papers_are_good_to_the_end_of_their_last_day(town: Town, clerk: Person) -> None:
    home, noodles, slot = town.home(), town.restaurant(contract=False), town.slot()
    town.contract(noodles, until=TOMORROW)
    identity(town, home, until=TOMORROW)
    paper_ends(town, LicenceKind.GAS_BUSINESS, TOMORROW)
    paper_ends(town, LicenceKind.SITE_PERMIT, TOMORROW)
    for household in (home, noodles):
        assert clerk.post(f"{DISTRICT}/orders", household.booking(slot)).status_code == 201


def test_every_reason_of_both_gates_is_said_at_once_in_the_law_s_order(
    town: Town, clerk: Person, db: Session
) -> None:
    home, slot = town.home(height_m=40, lon=121.45), town.slot()
    town.change(Account, home.account, state=AccountState.SUSPENDED)
    town.change(Slot, slot, closed=True)
    identity(town, home, passed=False)
    refused = clerk.post(f"{DISTRICT}/orders", home.booking(slot))
    assert codes(refused) == [
        "account.suspended",
        "identity.not_verified",
        "slot.closed",
        "slot.other_zone",
        "premises.high_rise",
    ]
    nothing_written(db)


# --- hazards and the next booking ------------------------------------------------------------------------


def test_a_blocking_finding_stops_the_next_booking_until_re_checked(
    town: Town, clerk: Person, desk: Desk
) -> None:
    home, slot = town.home(), town.slot()
    finder, second = desk.sign_in(Role.REGULATOR), desk.sign_in(Role.REGULATOR)

    def book() -> Any:
        return clerk.post(f"{DISTRICT}/orders", home.booking(slot))

    found = finder.post(f"{DISTRICT}/checks", check(home.household, items=answers(leak_test={})))
    hazard = found.json["hazards"][0]["id"]
    assert codes(book()) == ["premises.open_hazard"]

    assert clerk.post(f"{DISTRICT}/hazards/{hazard}/mendings").status_code == 201
    claimed = book()
    assert codes(claimed) == ["premises.open_hazard"]
    assert claimed.json["reasons"][0]["facts"] == {"grade": "major", "state": "mended"}

    with clock.standing_at(THE_DAY + timedelta(hours=2)):
        again = second.post(
            f"{DISTRICT}/checks",
            check(home.household, reason="recheck", checked_at="2024-06-12T10:30:00.000+08:00"),
        )
        assert codes(book()) == ["premises.open_hazard"]
        closed = second.post(f"{DISTRICT}/hazards/{hazard}/closings", {"check_id": again.json["id"]})
        assert closed.status_code == 201, closed.text
        assert book().status_code == 201


def test_a_general_finding_stops_nothing(town: Town, clerk: Person, desk: Desk) -> None:
    home = town.home()
    finder = desk.sign_in(Role.REGULATOR)
    finder.post(f"{DISTRICT}/checks", check(home.household, items=answers(cylinder_upright={})))
    assert clerk.post(f"{DISTRICT}/orders", home.booking(town.slot())).status_code == 201


def test_a_refused_check_stops_the_next_booking_until_one_is_let_in(
    town: Town, clerk: Person, desk: Desk
) -> None:
    home, slot = town.home(), town.slot()
    finder = desk.sign_in(Role.REGULATOR)
    refusal = check(home.household, refused=True, items=[], checked_at="2024-06-12T08:00:00+08:00")
    finder.post(f"{DISTRICT}/checks", refusal)
    assert codes(clerk.post(f"{DISTRICT}/orders", home.booking(slot))) == ["premises.inspection_refused"]
    finder.post(f"{DISTRICT}/checks", check(home.household))
    assert clerk.post(f"{DISTRICT}/orders", home.booking(slot)).status_code == 201

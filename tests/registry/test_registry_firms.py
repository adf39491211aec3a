"""Firms, sites and their papers; grants and tokens."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from core import clock
from core.auth import ApiToken, Grant, Role, hash_token
from core.ground import Ground
from core.idempotency import Idempotency
from registry import queries
from registry.models import Firm, Licence, LicenceKind, Site
from tests.cast import MIDDLE, Cast, licence, made
from tests.desk import Person
from tests.registry.proofs import codes, count, entries, faults, reasons_of, was_refused


def test_a_firm_is_registered_with_its_dated_licence(cast: Cast, ground: Ground) -> None:
    body = cast.firm_body()
    firm = made(cast.admin.post("/api/v1/firms", body))
    assert (firm["uscc"], firm["home_district"]) == (body["uscc"], 310105)
    [paper] = firm["licences"]
    assert (paper["kind"], paper["valid_until"]) == ("gas_business", "2030-12-31")
    [entry] = entries(ground, "firm.register")
    assert entry["payload"]["uscc"] == body["uscc"]


def test_a_credit_code_is_registered_once(cast: Cast, ground: Ground) -> None:
    body = cast.firm_body()
    made(cast.admin.post("/api/v1/firms", body))
    again = cast.admin.post("/api/v1/firms", cast.firm_body(uscc=body["uscc"]))
    assert codes(again) == ["firm.uscc_taken"]
    assert count(ground, Firm) == 1
    assert was_refused(ground, "firm.register", again)


def test_a_wrong_credit_code_is_a_wrong_field(cast: Cast, ground: Ground) -> None:
    body = cast.firm_body()
    wrong = body["uscc"][:-1] + ("0" if body["uscc"][-1] != "0" else "1")
    answer = cast.admin.post("/api/v1/firms", body | {"uscc": wrong})
    assert faults(answer) == [("/uscc", "uscc.check_character")]
    assert not entries(ground, "firm.register")


def test_a_licence_number_is_used_once_and_the_number_is_named(cast: Cast, ground: Ground) -> None:
    paper = licence("gas_business")
    made(cast.admin.post("/api/v1/firms", cast.firm_body(licences=[paper])))
    again = cast.admin.post("/api/v1/firms", cast.firm_body(licences=[paper]))
    [reason] = reasons_of(again)
    assert (reason["code"], reason["facts"]["number"]) == ("licence.number_taken", paper["number"])
    assert (count(ground, Firm), count(ground, Licence)) == (1, 1)


def test_a_filling_licence_is_not_a_firms(cast: Cast, ground: Ground) -> None:
    answer = cast.admin.post("/api/v1/firms", cast.firm_body(licences=[licence("cylinder_filling")]))
    assert faults(answer) == [("/licences/0/kind", "licence.holder")]
    assert count(ground, Firm) == 0


def test_a_licence_may_not_end_before_it_begins(cast: Cast) -> None:
    paper = licence("gas_business", "2024-02-01", "2024-01-31")
    answer = cast.admin.post("/api/v1/firms", cast.firm_body(licences=[paper]))
    assert faults(answer) == [("/licences/0/valid_until", "order")]


def test_a_renewed_licence_stands_beside_the_old_one(cast: Cast, ground: Ground) -> None:
    old = licence("gas_business", "2020-01-01", "2023-12-31")
    firm_id = cast.another_firm(licences=[old])
    new = licence("gas_business", "2024-01-01", "2027-12-31")
    firm = made(cast.admin.post(f"/api/v1/firms/{firm_id}/licences", {"licences": [new]}))
    assert [paper["number"] for paper in firm["licences"]] == [old["number"], new["number"]]
    with ground.sessions() as db:
        for day, until in (("2023-12-31", "2023-12-31"), ("2024-01-01", "2027-12-31")):
            span = queries.licence_span(db, LicenceKind.GAS_BUSINESS, firm_id, clock.date.fromisoformat(day))
            assert span is not None
            assert span[1].isoformat() == until


def test_a_site_is_stored_in_wgs84_whatever_it_was_told_in(cast: Cast, ground: Ground) -> None:
    body = {
        "firm_id": str(cast.firm()),
        "district": 310105,
        "name": "样例站",
        "kinds": ["supply_point", "depot"],
        "point": MIDDLE | {"datum": "gcj02"},
        "stock_cap": 40,
        "licences": [licence("site_permit")],
    }
    site = made(cast.admin.post("/api/v1/sites", body))
    assert site["kinds"] == ["depot", "supply_point"]
    assert site["point"]["datum"] == "wgs84"
    assert 0.003 < MIDDLE["lon"] - site["point"]["lon"] < 0.006  # type: ignore[operator]  # about 0.48 km


def test_a_site_of_no_firm_is_a_wrong_field(cast: Cast, ground: Ground) -> None:
    body = {
        "firm_id": str(uuid4()),
        "district": 310105,
        "name": "样例站",
        "kinds": ["depot"],
        "point": MIDDLE,
        "stock_cap": 1,
    }
    assert faults(cast.admin.post("/api/v1/sites", body)) == [("/firm_id", "unknown")]
    assert count(ground, Site) == 0


# --- grants ---------------------------------------------------------------------------------------------


def a_grant(cast: Cast, **changed: object) -> dict[str, object]:
    return {
        "role": "clerk",
        "scope_kind": "firm",
        "scope_code": str(cast.firm()),
        "home_district": 310105,
        "label": "窗口",
    } | changed


def test_a_grant_gives_a_token_that_works_and_is_shown_once(cast: Cast, ground: Ground) -> None:
    first = cast.admin.post("/api/v1/grants", a_grant(cast), key="grant-key-1")
    given = made(first)
    assert given["token_shown"] is True
    clerk = Person(cast.desk.app, given["token"], UUID(given["principal_id"]))
    assert clerk.post(cast.at("staff"), cast.staff_body()).status_code == 201

    again = cast.admin.post("/api/v1/grants", a_grant(cast), key="grant-key-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.get_json()["token"], again.get_json()["token_shown"]) == (None, False)
    assert again.get_json()["grant_id"] == given["grant_id"]


def test_no_token_is_kept_anywhere_but_as_its_hash(cast: Cast, ground: Ground) -> None:
    token = made(cast.admin.post("/api/v1/grants", a_grant(cast)))["token"]
    with ground.sessions() as db:
        assert db.get(ApiToken, hash_token(token)) is not None
        kept = str(db.scalars(sa.select(Idempotency.answer)).all())
    assert token not in kept
    assert token not in str(entries(ground, "grant.give"))


def test_an_ended_grant_gives_nothing_from_that_instant(cast: Cast, ground: Ground) -> None:
    given = made(cast.admin.post("/api/v1/grants", a_grant(cast)))
    clerk = Person(cast.desk.app, given["token"], UUID(given["principal_id"]))
    ended = cast.admin.post(f"/api/v1/grants/{given['grant_id']}/end")
    assert ended.status_code == 200
    assert clerk.post(cast.at("staff"), cast.staff_body()).status_code == 401


def test_ending_one_grant_leaves_the_principals_other_grant(cast: Cast, ground: Ground) -> None:
    one = made(cast.admin.post("/api/v1/grants", a_grant(cast)))
    body = a_grant(cast, role="dispatcher", principal_id=one["principal_id"])
    two = made(cast.admin.post("/api/v1/grants", body))
    cast.admin.post(f"/api/v1/grants/{one['grant_id']}/end")
    person = Person(cast.desk.app, two["token"], UUID(two["principal_id"]))
    with clock.standing_at(clock.now() + timedelta(seconds=1)):
        assert person.post(cast.at("staff"), cast.staff_body()).status_code == 403
        assert person.get(cast.at("zone-sets/current")).status_code == 404  # let in; none is published


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"scope_code": str(uuid4())}, ("/scope_code", "unknown")),
        ({"scope_code": "not-an-id"}, ("/scope_code", "unknown")),
        ({"scope_kind": "all"}, ("/scope_kind", "scope")),
        ({"role": "resident"}, ("/scope_kind", "scope")),
        ({"role": "regulator", "scope_kind": "district", "scope_code": "310118"}, ("/scope_code", "unknown")),
        ({"principal_id": str(uuid4())}, ("/principal_id", "unknown")),
        ({"until_at": "2024-06-12T08:00:00+08:00"}, ("/until_at", "past")),
    ],
)
def test_a_grant_needs_a_scope_that_exists_and_fits_the_role(
    cast: Cast, ground: Ground, changed: dict[str, object], fault: tuple[str, str]
) -> None:
    cast.firm()
    before = count(ground, Grant)
    assert faults(cast.admin.post("/api/v1/grants", a_grant(cast, **changed))) == [fault]
    assert count(ground, Grant) == before


@pytest.fixture
def local(cast: Cast) -> Person:
    """The administrator of Changning alone."""
    return cast.granted("administrator", "district", "310105")


def test_a_districts_administrator_gives_nothing_beyond_the_district(
    cast: Cast, local: Person, ground: Ground
) -> None:
    qingpu = Cast(cast.desk, 310118)
    beyond = a_grant(cast, role="administrator", scope_kind="all")
    del beyond["scope_code"]
    filler = {"role": "filler", "scope_kind": "site"}
    resident = {"role": "resident", "scope_kind": "person"}
    asked = (
        (beyond, "/scope_kind"),
        (a_grant(cast, home_district=310118), "/home_district"),
        (a_grant(cast, scope_code=str(qingpu.firm())), "/scope_code"),
        (a_grant(cast, **filler, scope_code=str(qingpu.filling_station())), "/scope_code"),
        (a_grant(cast, **resident, scope_code=str(qingpu.person())), "/scope_code"),
    )
    before = count(ground, Grant)
    for body, pointer in asked:
        assert faults(local.post("/api/v1/grants", body)) == [(pointer, "unknown")], body
    assert count(ground, Grant) == before
    made(local.post("/api/v1/grants", a_grant(cast)))
    made(local.post("/api/v1/grants", a_grant(cast, **filler, scope_code=str(cast.filling_station()))))
    registrant = cast.registrant_of(cast.household())
    made(local.post("/api/v1/grants", a_grant(cast, **resident, scope_code=str(registrant))))


def test_no_token_is_made_for_a_principal_who_reaches_further_than_the_giver(
    cast: Cast, local: Person, ground: Ground
) -> None:
    """A token opens every grant of its principal: one more small grant must not open the large one."""
    registrant = cast.registrant_of(cast.household())
    resident = a_grant(cast, role="resident", scope_kind="person", scope_code=str(registrant))
    made(cast.admin.post("/api/v1/grants", resident | {"home_district": 310118}))
    tokens = count(ground, ApiToken)
    for body, pointer in (
        (a_grant(cast, principal_id=str(cast.admin.principal_id)), "/principal_id"),
        (resident, "/scope_code"),
    ):
        assert faults(local.post("/api/v1/grants", body)) == [(pointer, "unknown")]
    assert count(ground, ApiToken) == tokens


def test_a_residents_grant_is_the_residents_own(cast: Cast, ground: Ground) -> None:
    registrant = cast.registrant_of(cast.household())
    body = a_grant(cast, role="resident", scope_kind="person", scope_code=str(registrant))
    before = count(ground, Grant)
    answer = cast.admin.post("/api/v1/grants", body | {"principal_id": str(cast.clerk.principal_id)})
    assert faults(answer) == [("/principal_id", "unknown")]
    assert count(ground, Grant) == before


def test_a_districts_administrator_does_not_end_the_grant_of_one_over_everything(
    cast: Cast, local: Person, ground: Ground
) -> None:
    with ground.sessions() as db:
        over_all = db.scalars(sa.select(Grant).where(Grant.principal_id == cast.admin.principal_id)).one()
    assert over_all.home_district == 310105
    assert local.post(f"/api/v1/grants/{over_all.id}/end").status_code == 404
    qingpu = made(cast.admin.post("/api/v1/grants", a_grant(cast, home_district=310118)))
    assert local.post(f"/api/v1/grants/{qingpu['grant_id']}/end").status_code == 404
    assert not entries(ground, "grant.end")


def test_a_districts_administrator_registers_nothing_in_another_district(
    cast: Cast, local: Person, ground: Ground
) -> None:
    elsewhere = local.post("/api/v1/firms", cast.firm_body(home_district=310118))
    assert faults(elsewhere) == [("/home_district", "unknown")]
    site = {
        "firm_id": str(cast.firm()),
        "district": 310118,
        "name": "样例站",
        "kinds": ["depot"],
        "point": MIDDLE,
        "stock_cap": 1,
    }
    assert faults(local.post("/api/v1/sites", site)) == [("/district", "unknown")]
    assert count(ground, Site) == 0
    abroad = Cast(cast.desk, 310118)
    renewed = {"licences": [licence("gas_business")]}
    assert local.post(f"/api/v1/firms/{abroad.firm()}/licences", renewed).status_code == 404
    permit = {"licences": [licence("site_permit")]}
    assert local.post(f"/api/v1/sites/{abroad.supply_point()}/licences", permit).status_code == 404
    assert not entries(ground, "firm.license") + entries(ground, "site.license")


def test_the_code_of_a_scope_holds_no_words(cast: Cast, ground: Ground) -> None:
    body = a_grant(cast, role="regulator", scope_kind="street", scope_code="310105样例王小明")
    assert faults(cast.admin.post("/api/v1/grants", body)) == [("/scope_code", "pattern")]


def test_only_an_administrator_gives_grants(cast: Cast) -> None:
    for role in set(Role) - {Role.ADMINISTRATOR}:
        assert cast.desk.sign_in(role).post("/api/v1/grants", a_grant(cast)).status_code == 403

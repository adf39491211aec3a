"""May I fill it? May I send it out? Through HTTP, for each fault and for whatever a scanner can read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from core import clock
from core.auth import ApiToken, Grant, Role, ScopeKind
from core.ground import Ground
from cylinders.ask_log import ASKS, Ask, AskLog
from cylinders.ask_queries import verdicts
from cylinders.code import new_code
from cylinders.models import VerdictAsk
from cylinders.queries import judge_bottle, resolve
from cylinders.refill_gate import Identity, Purpose
from cylinders.schemas import VerdictOut
from evidence.models import Entry
from tests.cast import Cast
from tests.conftest import THE_DAY, doing_as
from tests.cylinders.cast import Bottles
from tests.cylinders.test_cylinders_filling import codes


def test_a_sound_bottle_may_be_filled_and_the_answer_says_how_much(bottles: Bottles) -> None:
    bottle = bottles.empty()
    answer = bottles.verdict(bottle.code)
    assert answer["allowed"] is True
    assert answer["reasons"] == []
    assert (answer["max_fill_g"], answer["tare_g"]) == (14_900, 16_500)
    assert answer["next_due_on"] == "2028-05-31"
    assert answer["cylinder_id"] == str(bottle.id)
    assert answer["asked_at"] == "2024-06-12T09:00:00.000+08:00"
    assert len(answer["edition"]) == 64


FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"registered_on": None}, ["refill.not_registered"]),
    ({"registered_on": "2024-06-13"}, ["refill.not_registered"]),
    ({"owner_firm_id": None}, ["refill.owner_unknown"]),
    ({"registered_by_firm_id": None}, ["refill.owner_unknown"]),
    ({"standard": None}, ["refill.inspection_date_unknown", "refill.life_unknown"]),
    (
        {"made_on": "2017-05-01", "last_inspection": None},
        ["refill.inspection_overdue"],
    ),
    ({"design_life_months": None}, ["refill.life_unknown"]),
    ({"made_on": "2015-05-01"}, ["refill.past_design_life"]),
    ({"made_on": "2011-05-01"}, ["refill.past_design_life", "refill.past_max_life"]),
    (
        {"made_on": "2015-05-01", "extended_until": "2027-05-31", "extension_assessed": True},
        ["refill.past_design_life"],
    ),
    (
        {
            "made_on": "2015-05-01",
            "extended_until": "2027-05-31",
            "extension_assessed": True,
            "extension_registered": True,
        },
        [],
    ),
    ({"scrap_ordered": True}, ["refill.scrap_ordered"]),
    ({"refurbished": True}, ["refill.refurbished"]),
    ({"refurbished": None}, ["refill.alteration_unknown"]),
    ({"illegal_make": True}, ["refill.illegal_make"]),
    ({"screwed_guard": True}, ["refill.screwed_guard"]),
    ({"phase": "two_phase"}, ["refill.two_phase"]),
    ({"phase": None}, ["refill.phase_unknown"]),
    ({"bought_on": "2021-06-01", "embossed_owner_mark": False}, ["refill.not_embossed"]),
    ({"bought_on": None}, ["refill.embossing_unknown"]),
    ({"full": True}, ["refill.already_full"]),
    ({"holder": None}, ["refill.fullness_unknown", "refill.not_here"]),
]


def test_each_fault_is_named_and_nothing_else_is(bottles: Bottles) -> None:
    for changed, expected in FAULTS:
        answer = bottles.verdict(bottles.empty(**changed).code)
        assert codes(answer) == expected, changed
        assert answer["allowed"] is (not expected)


def test_a_bottle_that_failed_its_last_inspection_is_refused(bottles: Bottles) -> None:
    failed = bottles.inspection(inspected_on="2024-05-01", passed=False)
    answer = bottles.verdict(bottles.empty(last_inspection=failed).code)
    assert codes(answer) == ["refill.inspection_overdue", "refill.inspection_failed"]


def test_reasons_are_worded_for_the_caller_with_facts_basis_and_cure(bottles: Bottles) -> None:
    code = bottles.empty(made_on="2017-05-01", last_inspection=None).code
    [reason] = bottles.verdict(code)["reasons"]
    assert reason["facts"] == {"due_on": "2021-05-31", "days": 1108}
    assert "2021-05-31" in reason["zh"]
    assert "2021-05-31" in reason["en"]
    assert reason["basis"]["article"]
    assert reason["cure"]["action"] == "send_to_inspection"
    courier = bottles.cast.signed_in_courier(bottles.cast.courier())
    [for_courier] = bottles.verdict(code, who=courier, purpose="dispatch")["reasons"]
    assert for_courier["cure"]["action"] == "bring_back"


def test_another_firms_bottle_is_foreign_here(bottles: Bottles) -> None:
    other = bottles.cast.another_firm()
    foreign = bottles.empty(owner_firm_id=str(other), registered_by_firm_id=str(other))
    assert codes(bottles.verdict(foreign.code)) == ["refill.foreign_owned"]
    entrusted = bottles.empty(
        owner_firm_id=str(other),
        registered_by_firm_id=str(other),
        entrusted_to_firm_id=str(bottles.cast.firm()),
    )
    assert codes(bottles.verdict(entrusted.code)) == ["refill.foreign_owned"]


def test_for_dispatch_neither_the_filling_papers_nor_the_place_are_asked(bottles: Bottles) -> None:
    full = bottles.full()
    assert bottles.verdict(full.code, purpose="dispatch")["allowed"] is True
    assert codes(bottles.verdict(full.code)) == ["refill.already_full", "refill.not_here"]


def test_a_firm_without_papers_fills_nothing(bottles: Bottles) -> None:
    lapsed = bottles.cast.site(["filling_station"], [], name="无证站")
    bottles.cast.furnish(lapsed)
    bottle = bottles.empty(holder={"site_id": str(lapsed)})
    filler = bottles.cast.desk.sign_in(Role.FILLER, site=lapsed)
    assert codes(bottles.verdict(bottle.code, who=filler)) == ["refill.no_filling_licence"]


def test_before_anybody_is_certified_nobody_may_fill(bottles: Bottles) -> None:
    bottle = bottles.empty()
    assert codes(bottles.verdict(bottle.code)) == []
    none_yet = Bottles(Cast(bottles.cast.desk), certified=False)
    assert codes(none_yet.verdict(none_yet.empty().code)) == [
        "refill.no_filler_certificate",
        "refill.filler_not_trained",
    ]


BAD_SCANS = [
    "WIFI:T:WPA;S:home;P:secret;;",
    "upi://pay?pa=someone@bank&am=1.00",
    "http://example.com/a//b/../c?d=e#f",
    "https://example.com/C/",
    "//C/HELLO",
    "😀😀😀",
    "\u202eABC\u202c",
    "床前明月光 疑是地上霜",
    "x" * 512,
    "BEGIN:VCARD\r\nFN:Somebody\r\nEND:VCARD",
    "100%",
    "../../etc/passwd",
    "a\x00b",
    "\x1d0106901234567892",
]


def test_whatever_is_scanned_gets_a_verdict_and_never_a_404(bottles: Bottles) -> None:
    for scanned in BAD_SCANS:
        answer = bottles.verdict(scanned)
        assert answer["allowed"] is False, scanned
        assert codes(answer)[0] == "refill.identity_unknown", scanned
        assert answer["max_fill_g"] is answer["tare_g"] is answer["next_due_on"] is None


def test_an_empty_scan_and_a_wrong_check_symbol_are_unreadable(bottles: Bottles) -> None:
    code = new_code()
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    for scanned in ("", "   ", f"HTTPS://LPG.EXAMPLE/C/{wrong}"):
        assert codes(bottles.verdict(scanned))[0] == "refill.label_unreadable", scanned


def test_one_bottle_answers_to_each_of_its_codes(bottles: Bottles) -> None:
    identifiers = [
        {"scheme": "use_registration", "value": "331YLX000001"},
        {"scheme": "maker", "value": "https://maker.example/gp/YL0099001"},
        {"scheme": "stamp", "value": "yl 0099001"},
    ]
    bottle = bottles.empty(identifiers=identifiers)
    for scanned in (
        bottle.code,
        f"HTTPS://LPG.EXAMPLE/C/{bottle.code}/ABCDEFGHJKMNP",
        "31YLX000001",
        "HTTPS://MAKER.EXAMPLE/GP/YL0099001",
        str(bottle.code).lower(),
    ):
        assert bottles.verdict(scanned)["cylinder_id"] == str(bottle.id), scanned


def test_a_text_that_is_on_two_bottles_is_claimed_twice(bottles: Bottles, db: Session) -> None:
    bottles.empty(identifiers=[{"scheme": "stamp", "value": "YL-7"}])
    bottles.empty(identifiers=[{"scheme": "rfid", "value": "YL-7"}])
    assert codes(bottles.verdict("YL-7"))[0] == "refill.label_claimed_twice"
    assert resolve(db, "YL-7").identity is Identity.CLAIMED_TWICE


def test_many_codes_are_answered_in_order(bottles: Bottles) -> None:
    sound, overdue = bottles.empty(), bottles.empty(made_on="2017-05-01", last_inspection=None)
    asked = [sound.code, "nothing of ours", overdue.code, sound.code, ""]
    answer = bottles.cast.filler.post("/api/v1/verdicts", {"purpose": "fill", "codes": asked})
    assert answer.status_code == 200
    items = answer.json["items"]
    assert [item["allowed"] for item in items] == [True, False, False, True, False]
    assert items[0] | {"ask_id": ""} == items[3] | {"ask_id": ""}
    assert items[0]["ask_id"] != items[3]["ask_id"]  # asked twice, kept twice
    assert items[1]["code"] == "nothing of ours"


def test_a_thousand_codes_are_taken_and_one_more_is_not(bottles: Bottles) -> None:
    asked = [new_code() for _ in range(1000)]
    answer = bottles.cast.filler.post("/api/v1/verdicts", {"codes": asked})
    assert [item["code"] for item in answer.json["items"]] == asked
    assert bottles.cast.filler.post("/api/v1/verdicts", {"codes": [*asked, "x"]}).status_code == 422
    assert bottles.cast.filler.post("/api/v1/verdicts", {"codes": ["x" * 513]}).status_code == 422


def test_a_filler_asks_for_the_own_site_only(bottles: Bottles) -> None:
    bottle = bottles.empty()
    path = f"/api/v1/cylinders/by-code/{bottle.code}/verdict"
    for site in (bottles.cast.supply_point(), Cast(bottles.cast.desk).filling_station(), uuid4()):
        assert bottles.cast.filler.get(path, site=str(site)).status_code == 404
    assert bottles.cast.filler.get(path, site=str(bottles.cast.filling_station())).status_code == 200
    assert bottles.cast.clerk.get(path).status_code == 422
    assert bottles.cast.clerk.get(path, site=str(bottles.cast.filling_station())).status_code == 200


def test_an_office_without_a_site_asks_about_the_bottle_as_its_firm_would(bottles: Bottles) -> None:
    full = bottles.full()
    assert bottles.verdict(full.code, who=bottles.cast.regulator, purpose="dispatch")["allowed"] is True
    assert bottles.verdict(full.code, who=bottles.agency, purpose="dispatch")["allowed"] is True


@contextmanager
def statements_of(ground: Ground) -> Iterator[list[str]]:
    engine, seen = ground.sessions.kw["bind"], []

    def see(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", see)


def test_a_scan_is_one_statement_and_two_where_the_firm_is_still_to_be_found(
    bottles: Bottles, ground: Ground
) -> None:
    bottle, courier = bottles.empty(), bottles.cast.signed_in_courier(bottles.cast.courier())
    for who, query, expected in (
        (bottles.cast.filler, {}, 1),
        (bottles.cast.regulator, {"purpose": "dispatch"}, 2),
        (courier, {"purpose": "dispatch", "site": str(bottles.cast.filling_station())}, 2),
    ):
        with statements_of(ground) as seen:
            bottles.verdict(bottle.code, who=who, **query)
        asking = [one for one in seen if "INSERT INTO verdict_ask" not in one]
        assert len(asking) == expected, asking


def test_a_scan_a_list_and_a_deed_know_the_same_of_every_bottle(
    bottles: Bottles, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement with the grants, one without, and the reads of a deed: they must not drift apart."""
    kept: list[Ask] = []
    monkeypatch.setattr(ASKS, "put", lambda _, asks: kept.extend(asks))
    other = str(bottles.cast.another_firm())
    twice = {"identifiers": [{"scheme": "stamp", "value": "YL-8"}]}
    made = [
        bottles.empty(identifiers=[{"scheme": "maker", "value": "https://maker.example/gp/YL0099002"}]),
        bottles.empty(made_on="2015-05-01", extended_until="2027-05-31", extension_assessed=True),
        bottles.empty(last_inspection=bottles.inspection(inspected_on="2024-05-01", passed=False)),
        bottles.empty(owner_firm_id=other, registered_by_firm_id=other),
        bottles.empty(tare_g=None, holder=None, phase=None, **twice),
        bottles.full(identifiers=[{"scheme": "rfid", "value": "YL-8"}]),
        bottles.filled(),
    ]
    codes = [one.code for one in made] + ["YL-8", "HTTPS://MAKER.EXAMPLE/GP/YL0099002", new_code(), "", "😀"]
    site, at = bottles.cast.filling_station(), clock.now()
    for purpose in Purpose:
        kept.clear()
        for code in codes:
            bottles.verdict(code, purpose=purpose.value)
        bottles.cast.filler.post("/api/v1/verdicts", {"codes": codes, "purpose": purpose.value})
        scanned, listed = kept[: len(codes)], kept[len(codes) :]
        for code, one, other_one in zip(codes, scanned, listed, strict=True):
            deed = judge_bottle(db, code, purpose=purpose, site_id=site, place="310105", at=at)
            assert one.verdict == other_one.verdict == deed.verdict, code
            assert one.start == other_one.start, code
            assert (one.start is None) == (purpose is Purpose.DISPATCH or deed.cylinder is None), code


def test_an_answer_is_written_as_the_document_says(bottles: Bottles) -> None:
    here = doing_as(
        bottles.cast.desk.ground, Role.FILLER, ScopeKind.SITE, str(bottles.cast.filling_station())
    )
    overdue = bottles.empty(made_on="2017-05-01", last_inspection=None)
    answers = verdicts(here, [overdue.code, "nothing of ours"], purpose=Purpose.FILL)
    for answer in answers:
        plain = orjson.loads(orjson.dumps(answer.to_plain(), default=str))
        assert plain == orjson.loads(orjson.dumps(VerdictOut().dump(answer)))
        assert plain.keys() == VerdictOut().fields.keys()


def test_rights_are_asked_anew_with_every_scan(bottles: Bottles, db: Session) -> None:
    filler, code = bottles.cast.filler, bottles.empty().code
    path = f"/api/v1/cylinders/by-code/{code}/verdict"
    assert filler.get(path).status_code == 200
    db.execute(sa.update(Grant).where(Grant.principal_id == filler.principal_id).values(until_at=clock.now()))
    db.commit()
    assert filler.get(path).status_code == 401
    clerk = bottles.cast.clerk
    assert clerk.get(path, purpose="dispatch").status_code == 200
    ASKS.flush()
    asks = db.scalar(sa.select(sa.func.count()).select_from(VerdictAsk))
    db.execute(
        sa.update(ApiToken).where(ApiToken.principal_id == clerk.principal_id).values(revoked_at=clock.now())
    )
    db.commit()
    assert clerk.get(path, purpose="dispatch").status_code == 401
    ASKS.flush()
    assert db.scalar(sa.select(sa.func.count()).select_from(VerdictAsk)) == asks


def test_who_fills_at_two_stations_says_for_which_and_is_answered_for_that_one(
    bottles: Bottles, db: Session
) -> None:
    here, filler = bottles.cast.filling_station(), bottles.cast.filler
    there = bottles.cast.site(["filling_station"], [], name="无证站")
    bottles.cast.furnish(there)
    first = db.scalars(sa.select(Grant).where(Grant.principal_id == filler.principal_id)).one()
    second = Grant(
        principal_id=filler.principal_id,
        role=Role.FILLER,
        scope_kind=ScopeKind.SITE,
        scope_code=str(there),
        home_district=first.home_district,
        from_at=first.from_at,
    )
    db.add(second)
    db.commit()
    path = f"/api/v1/cylinders/by-code/{bottles.empty().code}/verdict"
    assert filler.get(path).status_code == 422
    headers, browser = {"Authorization": f"Bearer {filler.token}"}, filler.app.test_client()
    for grant, expected in ((first, []), (second, ["refill.no_filling_licence", "refill.not_here"])):
        answer = browser.get(path, headers={**headers, "Acting-As": str(grant.id)})
        assert codes(answer.json) == expected
    assert (
        browser.get(
            path, query_string={"site": str(here)}, headers={**headers, "Acting-As": str(second.id)}
        ).status_code
        == 404
    )


def test_asks_are_logged_in_batches_and_are_no_deeds(bottles: Bottles, db: Session) -> None:
    ASKS.flush()
    sound = bottles.empty()
    entries = db.scalar(sa.select(sa.func.count()).select_from(Entry))
    bottles.verdict(sound.code)
    bottles.verdict("WIFI:T:WPA;S:home;P:secret;;")
    ASKS.flush()
    asks = db.scalars(sa.select(VerdictAsk).order_by(VerdictAsk.id)).all()
    assert [ask.allowed for ask in asks] == [True, False]
    assert asks[0].cylinder_id == sound.id
    assert asks[0].site_id == bottles.cast.filling_station()
    assert asks[0].actor_id == bottles.cast.filler.principal_id
    assert asks[1].reasons[0] == "refill.identity_unknown"
    assert asks[1].code.startswith("sha256:")
    assert len(asks[0].facts_digest) == 64
    assert db.scalar(sa.select(sa.func.count()).select_from(Entry)) == entries


def test_a_database_that_is_away_loses_asks_only(
    bottles: Bottles, ground: Ground, owner_engine: sa.Engine, db: Session
) -> None:
    log, bottle = AskLog(), bottles.empty()
    ASKS.flush()
    with owner_engine.begin() as owner:
        owner.execute(sa.text("REVOKE INSERT ON verdict_ask FROM lpg_app"))
    bottles.verdict(bottle.code)
    assert ASKS.flush() == 0
    with owner_engine.begin() as owner:
        owner.execute(sa.text("GRANT INSERT ON verdict_ask TO lpg_app"))
    assert bottles.fill(bottle).status_code == 201
    assert db.scalar(sa.select(sa.func.count()).select_from(VerdictAsk)) == 0
    assert log.flush() == 0


def test_the_buffer_is_bounded(ground: Ground, bottles: Bottles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cylinders.ask_log.MOST_WAITING", 3)
    monkeypatch.setattr(AskLog, "_be_running", lambda self: None)
    log = AskLog()
    log.put(ground.sessions, [None] * 5)  # type: ignore[list-item]  # never written: only counted
    assert len(log._waiting) == 3


def test_a_bottle_is_judged_by_the_law_of_the_day_asked_about(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(made_on="2019-05-01", last_inspection=None)
    in_time = THE_DAY.replace(year=2023, month=5, day=31, hour=15)
    for at, expected in ((in_time, []), (in_time.replace(hour=16), ["refill.inspection_overdue"])):
        verdict = judge_bottle(
            db,
            bottle.id,
            purpose="fill",
            site_id=bottles.cast.filling_station(),
            place="310105",
            at=at,
        ).verdict
        assert [one.code for one in verdict.reasons] == expected

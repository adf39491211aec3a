"""Consents to proxies: who is told, when they end with the account, how long a proxy stays on file."""

import importlib
import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from core import clock, limits, outbox
from core.ground import Ground
from core.outbox import OutboxEvent
from registry import privacy, proxies, retention, terms
from registry.models import Account, PersonDocument
from registry.privacy_models import PrivacyRequest, ProcessingStop
from registry.proxy_models import ProxyConsent
from registry.states import ProxyState
from registry.succession_models import FormerHolder
from tests.cast import CHANGNING, Cast, Users, made
from tests.conftest import THE_DAY
from tests.desk import Person as Somebody
from tests.registry.proofs import codes, count, entries, faults
from tests.registry.test_registry_privacy import closed

GIVER, VOLUNTEER = "13800001111", "13800002222"
UNTIL = "2024-12-31"


@pytest.fixture
def home(cast: Cast) -> Users:
    return cast.household(person=cast.registrant(phone=GIVER))


@pytest.fixture
def volunteer(cast: Cast) -> UUID:
    """Registered at the counter, with no account anywhere."""
    return cast.person(phone=VOLUNTEER)


def at_counter(cast: Cast, home: Users, person_id: UUID, by: Somebody | None = None, **changed: Any) -> Any:
    body = {"person_id": str(person_id), "paper": "WT-1", "may_book": True, "may_receive": True}
    path = cast.at(f"households/{home.household_id}/proxies")
    return (by or cast.clerk).post(path, body | {"until_on": UNTIL} | changed)


def by_telephone(cast: Cast, home: Users, resident: Somebody, phone: str = VOLUNTEER) -> Any:
    body = {"phone": phone, "may_book": False, "may_receive": True, "until_on": UNTIL}
    return resident.post(cast.at(f"households/{home.household_id}/proxies"), body)


def told(ground: Ground) -> list[tuple[str, str]]:
    """(to whom, of what), and the box is emptied; what is due is delivered first."""
    for district in outbox.districts_due(ground):
        outbox.deliver_due(ground, district)
    box = ground.config.state_dir / "messages.jsonl"
    said = [json.loads(line) for line in box.read_text().splitlines()] if box.exists() else []
    box.unlink(missing_ok=True)
    assert not any("样例住户" in one["zh"] for one in said)
    assert all("代办" in one["zh"] for one in said)
    assert len({one["reference"] for one in said}) == len(said), (
        "a gateway would drop one as the other's copy"
    )
    return sorted((one["to"], one["topic"]) for one in said)


def states(ground: Ground) -> list[str]:
    with ground.sessions() as db:
        return [one.value for one in db.scalars(sa.select(ProxyConsent.state).order_by(ProxyConsent.id))]


# --- both are told ----------------------------------------------------------------------------------------


def test_both_are_told_when_it_is_asked_given_and_ended(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    consent = made(by_telephone(cast, home, cast.resident(cast.registrant_of(home))))
    assert told(ground) == [(GIVER, "proxy.named"), (VOLUNTEER, "proxy.named")]
    helper = cast.resident(volunteer)
    made(helper.post(cast.at(f"proxies/{consent['id']}/answers"), {"agreed": True}))
    assert told(ground) == [(GIVER, "proxy.agreed"), (VOLUNTEER, "proxy.agreed")]
    made(helper.post(cast.at(f"proxies/{consent['id']}/endings")))
    assert told(ground) == [(GIVER, "proxy.ended"), (VOLUNTEER, "proxy.ended")]
    with ground.sessions() as db:
        events = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic.startswith("proxy."))).all()
    assert [one.payload for one in events] == [{"consent_id": consent["id"]}] * 3


def test_a_no_is_told_to_who_asked_and_nothing_to_a_number_that_is_nobodys(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    resident = cast.resident(cast.registrant_of(home))
    made(by_telephone(cast, home, resident, "13900009999"))
    assert told(ground) == [(GIVER, "proxy.named")]
    consent = made(at_counter(cast, home, volunteer))
    assert told(ground) == [(GIVER, "proxy.agreed"), (VOLUNTEER, "proxy.agreed")]
    made(at_counter(cast, home, volunteer, may_book=False))
    assert told(ground) == [(GIVER, "proxy.agreed"), (VOLUNTEER, "proxy.agreed")], "the older ends in silence"
    assert states(ground) == ["named", "ended", "agreed"]
    asked = made(by_telephone(cast, home, resident))
    told(ground)
    helper = cast.resident(volunteer)
    made(helper.post(cast.at(f"proxies/{asked['id']}/answers"), {"agreed": False}))
    assert told(ground) == [(GIVER, "proxy.turned_down")]
    assert consent["state"] == "agreed"


def test_what_has_moved_on_before_it_is_told_is_not_told(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    consent = made(at_counter(cast, home, volunteer))
    made(cast.clerk.post(cast.at(f"proxies/{consent['id']}/endings")))
    assert told(ground) == [(GIVER, "proxy.ended"), (VOLUNTEER, "proxy.ended")]
    made(at_counter(cast, home, volunteer, until_on="2024-06-12"))
    with clock.standing_at(THE_DAY + timedelta(days=2)):
        assert told(ground) == []


def test_nobody_makes_the_house_send_messages_all_day(cast: Cast, home: Users, ground: Ground) -> None:
    resident = cast.resident(cast.registrant_of(home))
    path = cast.at(f"households/{home.household_id}/proxies")
    body = {"phone": VOLUNTEER, "may_book": True, "may_receive": True, "until_on": UNTIL}
    for _ in range(9):
        limits.count(ground, proxies.NAMED_A_DAY, str(resident.principal_id))
    made(resident.post(path, body))
    answer = resident.post(path, body)
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    assert count(ground, ProxyConsent) == 1


# --- at the counter ---------------------------------------------------------------------------------------


def test_a_counter_names_only_whom_it_has_identified_itself(cast: Cast, home: Users, ground: Ground) -> None:
    """Another firm's customer is nobody here, until they show their document."""
    rival = cast.clerk_of(cast.another_firm())
    number = cast.registrant(method="document_seen", notice_version="2021-11")
    theirs = UUID(made(rival.post(cast.at("people"), number))["person_id"])
    assert faults(at_counter(cast, home, theirs)) == [("/person_id", "unknown")]
    assert at_counter(cast, home, theirs, rival).status_code == 404
    assert (count(ground, ProxyConsent), entries(ground, "proxy.name")) == (0, [])
    assert cast.clerk.post(cast.at("people"), number).json["person_id"] == str(theirs)  # type: ignore[index]
    assert made(at_counter(cast, home, theirs))["state"] == "agreed"


def test_another_districts_clerk_and_another_firms_end_nothing(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    consent = made(at_counter(cast, home, volunteer))
    far = Cast(cast.desk, 310118)
    for stranger in (cast.clerk_of(cast.another_firm()), far.clerk):
        assert stranger.post(cast.at(f"proxies/{consent['id']}/endings")).status_code == 404
        assert stranger.get(cast.at(f"households/{home.household_id}/proxies")).status_code == 404
    assert far.clerk.post(far.at(f"proxies/{consent['id']}/endings")).status_code == 404
    assert states(ground) == ["agreed"]


# --- with the account -------------------------------------------------------------------------------------


def test_what_was_allowed_ends_with_the_account_that_allowed_it(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    made(at_counter(cast, home, volunteer))
    told(ground)
    closing = {"reason": "moved", "evidence": "TH-1"}
    made(cast.clerk.post(cast.at(f"accounts/{home.account_id}/closings"), closing))
    assert states(ground) == ["ended"]
    assert told(ground) == [(GIVER, "proxy.ended"), (VOLUNTEER, "proxy.ended")]
    [entry] = entries(ground, "account.close")
    assert len(entry["payload"]["consents_ended"]) == 1
    assert at_counter(cast, home, volunteer).status_code == 404, "nobody is named for a closed account"


def test_a_new_registrant_has_named_nobody_and_the_former_one_is_known_for_the_term(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    """account.transfer left no trace of who held it before: they stayed on file for ever."""
    before, heir = cast.registrant_of(home), cast.person()
    made(at_counter(cast, home, volunteer))
    body = {"person_id": str(heir), "applied_on": "2023-07-31", "kind": "transfer"}
    answer = cast.clerk.post(cast.at(f"accounts/{home.account_id}/transfers"), body)
    assert answer.status_code == 201, answer.text
    assert states(ground) == ["ended"]
    with ground.sessions() as db:
        [row] = db.scalars(sa.select(FormerHolder))
        assert (row.account_id, row.person_id) == (home.account_id, before)
        assert before not in terms.due_in(db, CHANGNING, date(2026, 6, 11))
        assert before in terms.due_in(db, CHANGNING, date(2026, 6, 12))
        assert heir not in terms.due_in(db, CHANGNING, date(2040, 1, 1))


def test_the_migration_reads_past_transfers_from_the_evidence(
    cast: Cast, home: Users, ground: Ground
) -> None:
    before, heir = cast.registrant_of(home), cast.person()
    body = {"person_id": str(heir), "applied_on": "2023-07-31", "kind": "transfer"}
    made(cast.clerk.post(cast.at(f"accounts/{home.account_id}/transfers"), body))
    past = importlib.import_module("migrations.versions.0036_ties").PAST.split(";")[1]
    selected = past[past.index("SELECT account.district") : past.index("ON CONFLICT")]
    with ground.sessions() as db:
        [found] = db.execute(sa.text(selected)).all()
        [row] = db.scalars(sa.select(FormerHolder))
    assert tuple(found) == (row.district, row.account_id, row.person_id, row.until_at)
    assert row.person_id == before


# --- how long they stay -----------------------------------------------------------------------------------


def hold(ground: Ground, home: Users, person_id: UUID, until_at: Any) -> None:
    with ground.sessions() as db:
        db.add(
            FormerHolder(
                district=CHANGNING, account_id=home.account_id, person_id=person_id, until_at=until_at
            )
        )
        db.commit()


def test_who_closed_one_home_long_ago_and_passed_on_another_lately_is_not_due(
    cast: Cast, home: Users, ground: Ground
) -> None:
    """The daily job found them due by the home that was closed, and stopped their processing unasked."""
    person_id, other = cast.registrant_of(home), cast.household()
    closed(cast, ground, home, THE_DAY - timedelta(days=2000))
    hold(ground, other, person_id, THE_DAY - timedelta(days=100))
    with ground.sessions() as db:
        assert terms.due_in(db, CHANGNING, clock.today()) == []
    assert retention.retain(ground)["people"] == 0
    assert count(ground, ProcessingStop) == 0
    with clock.standing_at(THE_DAY + timedelta(days=800)):
        assert retention.retain(ground)["people"] == 1


def test_who_passed_one_home_on_and_holds_another_is_not_due(cast: Cast, home: Users, ground: Ground) -> None:
    person_id, other = cast.registrant_of(home), cast.household()
    hold(ground, other, person_id, THE_DAY - timedelta(days=2000))
    with ground.sessions() as db:
        assert terms.due_in(db, CHANGNING, clock.today()) == []


def test_the_daily_job_leaves_who_came_back_meanwhile(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    """Found due, and named by somebody before their turn came: nothing is stopped and nothing written."""
    made(at_counter(cast, home, volunteer))
    here = outbox.house_of(ground, CHANGNING)
    before = len(entries(ground, "person.retain"))
    assert privacy.erase_when_due(here, volunteer) == {"outcome": "kept"}
    assert (count(ground, ProcessingStop), len(entries(ground, "person.retain"))) == (0, before)


def test_a_proxy_without_an_account_is_forgotten_a_term_after_the_last_day(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    made(at_counter(cast, home, volunteer, until_on="2024-06-30"))
    with ground.sessions() as db:
        assert volunteer not in terms.due_in(db, CHANGNING, date(2026, 6, 29))
        assert volunteer in terms.due_in(db, CHANGNING, date(2026, 6, 30))
    with clock.standing_at(clock.at(date(2026, 6, 30))):
        assert retention.retain(ground)["people"] == 1
    with ground.sessions() as db:
        assert set(db.scalars(sa.select(PersonDocument.person_id))) == {cast.registrant_of(home)}


def test_a_proxy_asks_about_their_own_data_and_acts_for_nobody_once_they_ask_to_be_forgotten(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    made(at_counter(cast, home, volunteer))
    helper, path = cast.resident(volunteer), cast.at("own-data/requests")
    address = {"kind": "correction", "field": "address", "said": "样例市别处1号"}
    assert faults(helper.post(path, address)) == [("/field", "not_yours")]
    assert faults(helper.post(path, {"kind": "copy"})) == [("/kind", "own_page")]
    assert count(ground, PrivacyRequest) == 0
    copy = made(helper.post(cast.at("own-data/copies")))
    assert (copy["homes"], [one["mine"] for one in copy["proxies"]]) == ([], [False])
    assert "样例住户" not in str(copy["proxies"])
    request_id = made(helper.post(path, {"kind": "erasure"}))["request_id"]
    decision = {"granted": True, "reason": "document_seen"}
    done = made(cast.clerk.post(cast.at(f"privacy-requests/{request_id}/decisions"), decision))
    assert done["outcome"] == "stopped"
    assert states(ground) == [ProxyState.ENDED.value]
    with ground.sessions() as db:
        assert db.scalars(sa.select(Account.state)).one().value == "open"


def test_a_copy_names_past_proxies_with_their_dates(
    cast: Cast, home: Users, volunteer: UUID, ground: Ground
) -> None:
    consent = made(at_counter(cast, home, volunteer))
    made(cast.clerk.post(cast.at(f"proxies/{consent['id']}/endings")))
    resident = cast.resident(cast.registrant_of(home))
    [past] = made(resident.post(cast.at("own-data/copies")))["proxies"]
    assert (past["state"], past["mine"], past["valid_from"]) == ("ended", True, "2024-06-12")
    assert past["ended_at"] is not None
    file = cast.clerk.get(cast.at(f"households/{home.household_id}/file")).json
    assert [one["id"] for one in file["proxies"]] == [consent["id"]]  # type: ignore[index]
    stranger = cast.household()
    other = cast.clerk.get(cast.at(f"households/{stranger.household_id}/file")).json
    assert other["proxies"] == []  # type: ignore[index]
    assert codes(at_counter(cast, home, cast.registrant_of(home))) == ["proxy.is_registrant"]

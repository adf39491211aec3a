"""A bottle's labels and codes: issued, replaced, voided; one code on two bottles; one of another firm's."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role, ScopeKind
from core.ground import Ground
from core.outbox import deliver_due
from core.sealed import Keyring, Purpose
from cylinders import identifiers, service
from cylinders.code import ALPHABET, classify, label_parts
from cylinders.label_address import TAG_SYMBOLS, is_tag, tag
from cylinders.label_models import IdentifierCollision, Label
from cylinders.models import Cylinder, CylinderIdentifier, Hold
from evidence.models import Entry, Outcome
from evidence.verify import verify
from oversight.models import Tip
from tests.cast import Cast, made
from tests.conftest import doing_as
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes
from web.keys import Changing


def count(db: Session, model: Any) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def issue(bottles: Bottles, *bottle: Bottle) -> dict[str, Any]:
    body = {"codes": [one.code for one in bottle]}
    return made(bottles.cast.clerk.post("/api/v1/label-batches", body))


def labels(bottles: Bottles, bottle: Bottle) -> list[dict[str, Any]]:
    """The latest first."""
    items: list[dict[str, Any]] = bottles.cast.clerk.get(f"/api/v1/cylinders/{bottle.id}/labels").json[
        "items"
    ]
    return items


def on_label(bottles: Bottles, bottle: Bottle, number: int, act: str, reason: str) -> Any:
    path = f"/api/v1/cylinders/{bottle.id}/labels/{number}/{act}"
    return bottles.cast.clerk.post(path, {"reason": reason})


def attach(bottles: Bottles, bottle: Bottle, scheme: str, value: str) -> Any:
    path = f"/api/v1/cylinders/{bottle.id}/identifiers"
    return bottles.cast.clerk.post(path, {"scheme": scheme, "value": value})


def void_code(bottles: Bottles, bottle: Bottle, scheme: str, value: str, reason: str = "replaced") -> Any:
    path = f"/api/v1/cylinders/{bottle.id}/identifier-voidings"
    return bottles.cast.clerk.post(path, {"scheme": scheme, "value": value, "reason": reason})


def resolve(bottles: Bottles, collision_id: str, outcome: str) -> Any:
    path = f"/api/v1/districts/310105/identifier-collisions/{collision_id}/resolutions"
    return bottles.cast.regulator.post(path, {"outcome": outcome})


# --- labels -----------------------------------------------------------------------------------------------


def test_a_bottle_gets_two_labels_each_with_its_own_number_and_tag(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    first, second = bottles.empty(), bottles.empty()
    batch = issue(bottles, first, second)
    items = batch["items"]
    assert [(one["number"], one["place"]) for one in items] == [(1, "guard"), (2, "body")] * 2
    assert {one["code"] for one in items} == {first.code, second.code}
    assert len({one["address"] for one in items}) == 4
    for one in items:
        assert one["address"] == one["address"].upper()
        assert classify(one["address"]).code == one["code"]
        parts = label_parts(one["address"])
        assert parts is not None
        code, read = parts
        assert read is not None
        assert (len(read), set(read) <= set(ALPHABET)) == (TAG_SYMBOLS, True)
        assert is_tag(ground.keyring, 1, code, one["number"], read.lower())
        assert not is_tag(ground.keyring, 1, code, one["number"] + 1, read)
    assert bottles.verdict(items[0]["address"])["allowed"]
    assert not list(verify(db))


def test_a_tag_lives_as_long_as_its_key_and_the_label_says_which(ground: Ground) -> None:
    code = "31XBW3A0A88K"
    before = tag(ground.keyring, 1, code, 1)
    newer = ground.keyring.with_new_key(Purpose.LABEL)
    assert tag(newer, 1, code, 1) == before
    assert tag(newer, 2, code, 1) not in (before, None)
    assert tag(newer.without_key(Purpose.LABEL, 1), 1, code, 1) is None
    assert not is_tag(newer.without_key(Purpose.LABEL, 1), 1, code, 1, before or "")


def test_a_label_key_stays_as_long_as_a_label_needs_it(
    bottles: Bottles, ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    bottle, scrapped = bottles.empty(), bottles.empty()
    issue(bottles, bottle, scrapped)
    body = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
    made(bottles.agency.post(f"/api/v1/cylinders/{bottles.sent(scrapped).id}/scrappings", body))
    ground.keyring.save(ground.config.keyring_path)
    doing = doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
    operator = Changing(ground, lambda district: doing)
    assert operator.do("rotate", "label", None) == 0
    object.__setattr__(ground, "keyring", Keyring.load(ground.config.keyring_path))
    assert operator.do("show", None, None) == 0
    assert "label 1: 2 rows still need it" in capsys.readouterr().out
    assert operator.do("retire", "label", 1) == 1
    assert sorted(Keyring.load(ground.config.keyring_path).label.by_version) == [1, 2]
    for number in (1, 2):
        assert on_label(bottles, bottle, number, "replacements", "damaged").status_code == 201
    assert operator.do("retire", "label", 1) == 0
    assert list(Keyring.load(ground.config.keyring_path).label.by_version) == [2]


def test_labels_that_stand_are_not_issued_again_and_nothing_of_the_batch_is(
    bottles: Bottles, db: Session
) -> None:
    labelled, bare = bottles.empty(), bottles.empty()
    issue(bottles, labelled)
    before = count(db, Entry)
    answer = bottles.cast.clerk.post("/api/v1/label-batches", {"codes": [bare.code, labelled.code, "YL-404"]})
    assert answer.status_code == 409
    assert sorted(codes(answer.json)) == ["label.both_stand", "refill.identity_unknown"]
    assert labels(bottles, bare) == []
    assert (count(db, Label), count(db, Entry)) == (2, before + 1)


def test_the_database_itself_keeps_one_standing_label_a_place(
    bottles: Bottles, owner_engine: sa.Engine
) -> None:
    bottle = bottles.empty()
    issue(bottles, bottle)
    again = sa.text(
        "INSERT INTO cylinder_label SELECT cylinder_id, 9, code, place, key_version, batch_id, issued_by,"
        " issued_at, NULL, NULL FROM cylinder_label WHERE number = 1"
    )
    with (
        owner_engine.begin() as owner,
        pytest.raises(sa.exc.IntegrityError, match="uq_cylinder_label_standing"),
    ):
        owner.execute(again)


def test_a_damaged_label_is_replaced_by_the_next_number_and_the_code_stays(bottles: Bottles) -> None:
    bottle = bottles.empty()
    issue(bottles, bottle)
    batch = made(on_label(bottles, bottle, 1, "replacements", "damaged"))
    assert [(one["number"], one["place"], one["code"]) for one in batch["items"]] == [
        (3, "guard", bottle.code)
    ]
    standing = {one["number"]: one["void_reason"] for one in labels(bottles, bottle)}
    assert standing == {3: None, 2: None, 1: "damaged"}
    assert codes(on_label(bottles, bottle, 1, "replacements", "damaged").json) == ["label.not_standing"]
    assert bottles.verdict(bottle.code)["allowed"]


def test_a_lost_label_takes_the_code_with_it_and_the_bottle_stays_itself(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty()
    issue(bottles, bottle)
    batch = made(on_label(bottles, bottle, 2, "replacements", "lost"))
    [fresh] = {one["code"] for one in batch["items"]}
    assert fresh != bottle.code
    assert [one["number"] for one in batch["items"]] == [3, 4]
    assert {one["number"]: one["void_reason"] for one in labels(bottles, bottle)} == {
        4: None,
        3: None,
        2: "lost",
        1: "code_voided",
    }
    assert codes(bottles.verdict(bottle.code)) == ["refill.label_voided"]
    found = bottles.verdict(fresh)
    assert (found["allowed"], found["cylinder_id"]) == (True, str(bottle.id))
    former = db.get_one(CylinderIdentifier, ("platform", bottle.code))
    assert (former.cylinder_id, former.void_reason) == (bottle.id, "label_lost")


def test_a_bottle_whose_code_was_voided_is_labelled_anew_by_its_stamp(bottles: Bottles) -> None:
    bottle = bottles.empty(identifiers=[{"scheme": "stamp", "value": "YL-31"}])
    issue(bottles, bottle)
    made(void_code(bottles, bottle, "platform", bottle.code, "mark_unreadable"))
    assert codes(void_code(bottles, bottle, "platform", bottle.code).json) == ["identifier.voided_already"]
    assert all(one["voided_at"] for one in labels(bottles, bottle))
    batch = made(bottles.cast.clerk.post("/api/v1/label-batches", {"codes": ["yl-31"]}))
    assert {one["cylinder_id"] for one in batch["items"]} == {str(bottle.id)}
    assert bottles.verdict(batch["items"][0]["address"])["allowed"]


def test_a_label_that_is_only_voided_leaves_room_for_its_successor(bottles: Bottles) -> None:
    bottle = bottles.empty()
    issue(bottles, bottle)
    voided = made(on_label(bottles, bottle, 2, "voidings", "on_another_bottle"))
    assert voided["void_reason"] == "on_another_bottle"
    assert [(one["number"], one["place"]) for one in issue(bottles, bottle)["items"]] == [(3, "body")]


def test_a_scrapped_bottle_gets_no_label(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(identifiers=[{"scheme": "stamp", "value": "YL-77"}])
    issue(bottles, bottle)
    body = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
    made(bottles.agency.post(f"/api/v1/cylinders/{bottles.sent(bottle).id}/scrappings", body))
    answer = bottles.cast.clerk.post("/api/v1/label-batches", {"codes": ["YL-77"]})
    assert codes(answer.json) == ["refill.scrapped"]
    assert codes(on_label(bottles, bottle, 1, "replacements", "damaged").json) == ["refill.scrapped"]
    assert count(db, Label) == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"codes": []}, "/codes"),
        ({"codes": ["x"] * 97}, "/codes"),
        ({"codes": [7]}, "/codes/0"),
        ({"codes": ["x" * 513]}, "/codes/0"),
        ({}, "/codes"),
        ({"codes": ["x"], "copies": 2}, "/copies"),
    ],
)
def test_a_batch_of_the_wrong_shape_is_named(bottles: Bottles, db: Session, body: Any, pointer: str) -> None:
    answer = bottles.cast.clerk.post("/api/v1/label-batches", body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert count(db, Label) == 0


def test_another_firms_bottles_and_labels_are_not_there(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    batch = issue(bottles, bottle)
    stranger = bottles.cast.clerk_of(bottles.cast.another_firm())
    assert codes(stranger.post("/api/v1/label-batches", {"codes": [bottle.code]}).json) == [
        "refill.identity_unknown"
    ]
    for path in (
        f"label-batches/{batch['batch_id']}",
        f"cylinders/{bottle.id}/labels",
        f"label-batches/{uuid4()}",
    ):
        assert stranger.get(f"/api/v1/{path}").status_code == 404
    unknown = ("labels/9/voidings", f"labels/{2**31}/voidings", f"labels/{10**30}/replacements")
    for path in ("labels/1/replacements", "labels/1/voidings", *unknown):
        who = bottles.cast.clerk if path in unknown else stranger
        assert who.post(f"/api/v1/cylinders/{bottle.id}/{path}", {"reason": "damaged"}).status_code == 404
    answer = on_label(bottles, bottle, 1, "voidings", "code_voided")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/reason")
    assert not db.scalar(sa.select(Label.voided_at).where(Label.voided_at.is_not(None)))


# --- codes ------------------------------------------------------------------------------------------------


def test_a_further_code_leads_to_the_same_bottle(bottles: Bottles) -> None:
    bottle = bottles.empty()
    for scheme, value in (("stamp", "yl-0001"), ("rfid", "E200 3412 0123 4567 89AB CDEF")):
        answer = made(attach(bottles, bottle, scheme, value))
        assert answer["outcome"] == "attached"
    for scanned in ("YL-0001", "e20034120123456789abcdef"):
        assert bottles.verdict(scanned)["cylinder_id"] == str(bottle.id)
    assert codes(attach(bottles, bottle, "stamp", "YL-0002").json) == ["identifier.kind_stands"]
    assert codes(attach(bottles, bottle, "stamp", "YL-0001").json) == ["cylinder.identifier_taken"]
    made(void_code(bottles, bottle, "stamp", "YL-0001", "wrongly_entered"))
    made(attach(bottles, bottle, "stamp", "YL-0002"))
    assert codes(attach(bottles, bottle, "stamp", "YL-0001").json) == ["cylinder.identifier_taken"]
    filed = {one["value"]: one["void_reason"] for one in bottles.file(bottle)["identifiers"]}
    assert (filed["YL-0001"], filed["YL-0002"]) == ("wrongly_entered", None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scheme": "platform", "value": "31XBW3A0A88K"}, "/scheme"),
        ({"scheme": "stamp", "value": "31XBW3A0A88K"}, "/value"),
        ({"scheme": "poem", "value": "x"}, "/scheme"),
        ({"scheme": "stamp", "value": "x" * 129}, "/value"),
        ({"scheme": "stamp", "value": "\u0000"}, "/value"),
        ({"scheme": "stamp"}, "/value"),
    ],
)
def test_a_code_of_the_wrong_kind_is_named(bottles: Bottles, db: Session, body: Any, pointer: str) -> None:
    bottle = bottles.empty()
    before = count(db, CylinderIdentifier)
    answer = bottles.cast.clerk.post(f"/api/v1/cylinders/{bottle.id}/identifiers", body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert count(db, CylinderIdentifier) == before


@pytest.mark.parametrize(
    ("outcome", "has_it"), [("standing", "first"), ("claiming", "second"), ("neither", None)]
)
def test_one_stamp_on_two_bottles_stops_both_until_somebody_has_looked(
    bottles: Bottles, db: Session, outcome: str, has_it: str | None
) -> None:
    stamp = {"scheme": "stamp", "value": "YL-55"}
    pair = {"first": bottles.empty(identifiers=[stamp]), "second": bottles.empty()}
    answer = made(attach(bottles, pair["second"], "stamp", "YL-55"))
    assert answer["outcome"] == "claimed_twice"
    for bottle in pair.values():
        assert codes(bottles.verdict(bottle.code)) == ["refill.label_claimed_twice"]
        assert codes(bottles.fill(bottle).json) == ["refill.label_claimed_twice"]
    assert codes(attach(bottles, pair["second"], "stamp", "YL-55").json) == ["identifier.collision_stands"]
    hold = db.scalars(sa.select(Hold).where(Hold.cylinder_id == pair["first"].id)).one()
    lifted = bottles.cast.regulator.post(
        f"/api/v1/cylinders/{pair['first'].id}/releases", {"hold_id": str(hold.id), "reference": "R-1"}
    )
    assert codes(lifted.json) == ["hold.of_collision"]
    listed = bottles.cast.regulator.get("/api/v1/districts/310105/identifier-collisions").json["items"]
    assert [one["id"] for one in listed] == [answer["collision_id"]]

    made(resolve(bottles, answer["collision_id"], outcome))
    assert codes(resolve(bottles, answer["collision_id"], outcome).json) == ["identifier.collision_resolved"]
    for bottle in pair.values():
        assert bottles.verdict(bottle.code)["allowed"]
    found = bottles.verdict("YL-55")
    assert found["allowed"] == (has_it is not None)
    assert found["cylinder_id"] == str(pair[has_it or "first"].id)
    assert not list(verify(db))


def test_a_lost_race_for_a_code_is_told_and_refused_as_any_collision(
    bottles: Bottles, db: Session, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another firm files the code between the look and the insert: the same refusal, and the same tip."""
    other, before = bottles.cast.another_firm(), count(db, Cylinder)
    stamp = {"identifiers": [{"scheme": "stamp", "value": "YL-RACE"}]}
    rival = bottles.row(owner_firm_id=str(other), registered_by_firm_id=str(other), holder=None, **stamp)
    looked = service.on_file

    def overtaken(deed: Any, wanted: Any) -> Any:
        monkeypatch.setattr(service, "on_file", looked)
        clerk = bottles.cast.clerk_of(other)
        made(clerk.post("/api/v1/cylinders", {"firm_id": str(other), **rival}))
        return []

    monkeypatch.setattr(service, "on_file", overtaken)
    body = {"firm_id": str(bottles.cast.firm()), **bottles.row(**stamp)}
    answer = bottles.cast.clerk.post("/api/v1/cylinders", body)
    assert codes(answer.get_json()) == ["identifier.registered_elsewhere"]
    assert count(db, Cylinder) == before + 1
    deliver_due(ground, 310105)
    assert count(db, Tip) == 1


def test_a_lost_race_to_attach_a_code_stops_both_bottles_of_the_firm(
    bottles: Bottles, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, rival = bottles.empty(), bottles.empty()
    stood = identifiers._stands

    def overtaken(deed: Any, cylinder_id: Any, scheme: Any) -> bool:
        monkeypatch.setattr(identifiers, "_stands", stood)
        made(attach(bottles, rival, "stamp", "YL-RACE"))
        return stood(deed, cylinder_id, scheme)

    monkeypatch.setattr(identifiers, "_stands", overtaken)
    assert made(attach(bottles, mine, "stamp", "YL-RACE"))["outcome"] == "claimed_twice"
    assert count(db, IdentifierCollision) == 1
    assert {hold.cylinder_id for hold in db.scalars(sa.select(Hold))} == {mine.id, rival.id}


def test_a_code_that_goes_to_a_bottle_scrapped_meanwhile_is_void(bottles: Bottles, db: Session) -> None:
    standing = bottles.empty(identifiers=[{"scheme": "stamp", "value": "YL-71"}])
    claiming = bottles.empty()
    collision = attach(bottles, claiming, "stamp", "YL-71").json["collision_id"]
    body = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
    made(bottles.agency.post(f"/api/v1/cylinders/{bottles.sent(claiming).id}/scrappings", body))
    assert resolve(bottles, collision, "claiming").status_code == 201
    code = db.get_one(CylinderIdentifier, ("stamp", "YL-71"), populate_existing=True)
    assert (code.cylinder_id, code.voided_at is None) == (claiming.id, False)
    assert "refill.label_voided" in codes(bottles.verdict("YL-71"))
    assert bottles.verdict(standing.code)["allowed"]


def test_what_was_held_before_the_scanner_stands_in_no_entry_though_it_is_filed(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty()
    card = "sample visiting card 13800004321"
    made(attach(bottles, bottle, "maker", card))
    made(void_code(bottles, bottle, "maker", card))
    assert attach(bottles, bottle, "maker", card).status_code == 409
    written = b"".join(db.scalars(sa.select(Entry.written).where(Entry.verb.startswith("identifier."))))
    assert (b"13800004321" in written, written.count(b"sha256:") >= 3) == (False, True)


def test_a_code_of_another_firms_bottle_is_refused_and_told_and_the_others_bottle_serves_on(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    theirs = bottles.empty(identifiers=[{"scheme": "stamp", "value": "YL-88"}])
    rival = Bottles(Cast(bottles.cast.desk))
    ours = rival.empty()
    answer = attach(rival, ours, "stamp", "YL-88")
    assert codes(answer.json) == ["identifier.registered_elsewhere"]
    assert str(bottles.cast.firm()) not in answer.text
    assert str(theirs.id) not in answer.text
    assert codes(attach(rival, ours, "stamp", "YL-88").json) == ["identifier.collision_stands"]
    assert bottles.verdict(theirs.code)["allowed"]
    assert rival.verdict(ours.code)["allowed"]
    assert count(db, Hold) == 0
    row = rival.row(identifiers=[{"scheme": "stamp", "value": "YL-88"}])
    registering = rival.cast.clerk.post("/api/v1/cylinders", {"firm_id": str(rival.cast.firm()), **row})
    assert codes(registering.json) == ["identifier.registered_elsewhere"]
    assert count(db, Cylinder) == 2
    deliver_due(ground, 310105)
    tips = db.scalars(sa.select(Tip).order_by(Tip.recorded_at, Tip.id)).all()
    assert [tip.kind for tip in tips] == ["identifier.collision_found"] * 2
    assert [tip.facts["elsewhere"] for tip in tips] == [True, True]
    collision = db.scalars(sa.select(IdentifierCollision)).one()
    assert resolve(rival, str(collision.id), "claiming").status_code == 201
    assert rival.verdict("YL-88")["cylinder_id"] == str(ours.id)
    refused = db.scalars(sa.select(Entry.verb).where(Entry.outcome == Outcome.REFUSED)).all()
    assert refused.count("identifier.attach") == 2
    assert not list(verify(db))


def test_who_may_not_reach_a_bottle_or_collision_finds_none(bottles: Bottles) -> None:
    bottle = bottles.empty()
    stranger = bottles.cast.clerk_of(bottles.cast.another_firm())
    body = {"scheme": "stamp", "value": "YL-1"}
    assert stranger.post(f"/api/v1/cylinders/{bottle.id}/identifiers", body).status_code == 404
    voiding = {"scheme": "platform", "value": bottle.code, "reason": "replaced"}
    assert stranger.post(f"/api/v1/cylinders/{bottle.id}/identifier-voidings", voiding).status_code == 404
    assert void_code(bottles, bottle, "stamp", "YL-404").status_code == 404
    assert void_code(bottles, bottle, "stamp", "YL-404", "claimed_twice").status_code == 422
    assert attach(bottles, Bottle(UUID(int=7), ""), "stamp", "YL-1").status_code == 404
    assert resolve(bottles, str(uuid4()), "neither").status_code == 404
    assert resolve(bottles, str(uuid4()), "perhaps").status_code == 422
    assert bottles.verdict(bottle.code)["allowed"]

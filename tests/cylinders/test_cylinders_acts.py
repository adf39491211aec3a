"""Acts of the rooms above, in a deed of their own: load, swap, collect, receive; the projection rebuilt."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.problems import NotFound
from core.refusal import Refused
from cylinders import acts
from cylinders.custody import (
    Errand,
    Holder,
    facts_of,
    project,
    projection_of,
    rebuild,
    record,
    standing_custody,
)
from cylinders.models import (
    CardHolding,
    CustodyConflict,
    CustodyFact,
    Cylinder,
    CylinderClaim,
    CylinderCustody,
    FactKind,
    Hold,
    HoldKind,
)
from cylinders.queries import custody_of, holding_of, resolve
from cylinders.states import CylinderState
from evidence.deed import Deed, does
from evidence.models import Link, SubjectType
from evidence.verify import verify
from registry.models import Binding, Card, HolderKind
from tests.cast import Bound, Users, made
from tests.conftest import THE_DAY, doing_as
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_life import hold, sightings


@does("test.act")
def act(deed: Deed, work: Callable[[Deed], Any]) -> dict[str, Any]:
    deed.about(SubjectType.REGISTER, str(deed.district))
    work(deed)
    return {}


@pytest.fixture
def office(ground: Ground) -> Doing:
    return doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")


class Visit(NamedTuple):
    """A full bottle on its way to a user who holds another."""

    full: Bottle
    empty: Bottle
    users: Users
    bound: Bound


@pytest.fixture
def visit(bottles: Bottles) -> Visit:
    users = bottles.cast.household()
    return Visit(bottles.full(), bottles.on_card(users), users, bottles.cast.bind())


def binding_of(deed: Deed, visit: Visit) -> Binding:
    return deed.db.get_one(Binding, (310105, visit.bound.binding_id))


def load(bottles: Bottles, visit: Visit, **changed: Any) -> Callable[[Deed], Any]:
    def work(deed: Deed) -> None:
        given: dict[str, Any] = {
            "cylinder_id": visit.full.id,
            "line_id": uuid4(),
            "courier_id": visit.bound.courier_id,
            "site_id": bottles.cast.supply_point(),
            "binding": binding_of(deed, visit),
            "round_id": uuid4(),
        } | changed
        acts.load(deed, **given)

    return work


def swap(visit: Visit, **changed: Any) -> Callable[[Deed], Any]:
    def work(deed: Deed) -> None:
        given: dict[str, Any] = {
            "full_id": visit.full.id,
            "empty_id": visit.empty.id,
            "card": deed.db.get_one(Card, (310105, visit.users.card_ids[0]), with_for_update=True),
            "courier_id": visit.bound.courier_id,
            "household_id": visit.users.household_id,
            "binding": binding_of(deed, visit),
            "round_id": uuid4(),
            "line_id": uuid4(),
        } | changed
        acts.swap(deed, **given)

    return work


def refused_codes(office: Doing, work: Callable[[Deed], Any]) -> list[str]:
    with pytest.raises(Refused) as refused:
        act(office, work)
    return [one.code for one in refused.value.refusals]


def holder(db: Session, bottle: Bottle) -> tuple[HolderKind | None, UUID | None]:
    custody = custody_of(db, bottle.id)
    assert custody is not None
    return custody.holder_kind, custody.holder_id


def rebuilt_says_the_same(db: Session) -> bool:
    """Every projection, claim and holding, made again from the facts alone, is what stands."""

    def standing() -> list[Any]:
        db.expire_all()
        rows = db.scalars(sa.select(CylinderCustody).order_by(CylinderCustody.cylinder_id)).all()
        active = [CylinderClaim.cylinder_id, CylinderClaim.card_id]
        claims = db.execute(sa.select(*active).where(CylinderClaim.active).order_by(*active)).all()
        held = [CardHolding.cylinder_id, CardHolding.card_id]
        holdings = db.execute(sa.select(*held).where(CardHolding.active).order_by(*held)).all()
        assert claims == holdings
        return [[projection_of(row) for row in rows], claims]

    before = standing()
    for cylinder_id in db.scalars(sa.select(CylinderCustody.cylinder_id)).all():
        rebuild(db, cylinder_id)
    same = standing() == before
    db.rollback()
    return same


def test_a_full_bottle_goes_with_the_courier(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    act(office, load(bottles, visit))
    assert holder(db, visit.full) == (HolderKind.COURIER, visit.bound.courier_id)
    fact = db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.LOAD)).one()
    assert (fact.binding_id, fact.device_id) == (visit.bound.binding_id, visit.bound.device_id)
    assert fact.site_id == bottles.cast.supply_point()
    assert db.scalar(sa.select(Link.entry_id).where(Link.entry_id == fact.entry_id, Link.seq == 2))
    assert rebuilt_says_the_same(db)


def test_only_a_full_free_bottle_of_that_site_is_loaded(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    empty = bottles.empty()
    hold(bottles, visit.full)
    station = bottles.cast.filling_station()
    assert refused_codes(office, load(bottles, visit)) == ["custody.held"]
    assert refused_codes(office, load(bottles, visit, cylinder_id=empty.id)) == [
        "custody.not_with_giver",
        "custody.not_full",
    ]
    assert refused_codes(office, load(bottles, visit, cylinder_id=empty.id, site_id=station)) == [
        "custody.not_full"
    ]
    assert not db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.LOAD)).all()
    with pytest.raises(NotFound):
        act(office, load(bottles, visit, cylinder_id=new_id()))


def test_a_bottle_is_loaded_once(bottles: Bottles, visit: Visit, office: Doing) -> None:
    act(office, load(bottles, visit))
    assert refused_codes(office, load(bottles, visit)) == ["custody.not_with_giver"]


def test_a_swap_ends_the_old_holding_and_begins_the_new(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    [card] = visit.users.card_ids
    act(office, load(bottles, visit))
    act(office, swap(visit))
    assert holder(db, visit.full) == (HolderKind.HOUSEHOLD, visit.users.household_id)
    assert holder(db, visit.empty) == (HolderKind.COURIER, visit.bound.courier_id)
    assert holding_of(db, 310105, card) == visit.full.id
    for model in (CardHolding, CylinderClaim):
        rows = db.scalars(sa.select(model).order_by(model.id)).all()
        assert [(one.cylinder_id, one.active, one.until_at is None) for one in rows] == [
            (visit.empty.id, False, False),
            (visit.full.id, True, True),
        ]
    assert rebuilt_says_the_same(db)
    assert not list(verify(db))


def test_the_empty_must_be_the_one_on_the_card(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    neighbours = bottles.on_card(bottles.cast.household())
    act(office, load(bottles, visit))
    assert refused_codes(office, swap(visit, empty_id=neighbours.id)) == ["custody.not_on_card"]
    assert holding_of(db, 310105, visit.users.card_ids[0]) == visit.empty.id
    assert holder(db, visit.full)[0] is HolderKind.COURIER


def test_a_courier_hands_over_only_what_the_courier_holds(visit: Visit, office: Doing, db: Session) -> None:
    assert refused_codes(office, swap(visit)) == ["custody.not_with_giver"]
    assert holding_of(db, 310105, visit.users.card_ids[0]) == visit.empty.id


def test_without_an_empty_the_bottle_on_the_card_is_missing(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    act(office, load(bottles, visit))
    act(office, swap(visit, empty_id=None))
    assert holding_of(db, 310105, visit.users.card_ids[0]) == visit.full.id
    assert holder(db, visit.empty) == (None, None)
    assert rebuilt_says_the_same(db)
    assert bottles.receive(visit.empty.code).status_code == 201


def test_a_bottle_is_collected_when_an_account_closes(visit: Visit, office: Doing, db: Session) -> None:
    def collect(deed: Deed) -> None:
        card = deed.db.get_one(Card, (310105, visit.users.card_ids[0]), with_for_update=True)
        acts.collect_only(deed, cylinder_id=visit.empty.id, card=card, courier_id=visit.bound.courier_id)

    act(office, collect)
    assert holder(db, visit.empty) == (HolderKind.COURIER, visit.bound.courier_id)
    assert holding_of(db, 310105, visit.users.card_ids[0]) is None
    assert refused_codes(office, collect) == ["custody.not_on_card"]


def test_a_round_and_a_return_are_the_same_told_online_or_rebuilt(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    act(office, load(bottles, visit))
    act(office, swap(visit, occurred_at=THE_DAY - timedelta(hours=3)))
    bottles.receive(visit.empty.code)
    bottles.fill(visit.empty)
    custody = db.get_one(CylinderCustody, visit.empty.id)
    assert custody.version == len(facts_of(db, visit.empty.id)) == 4
    assert custody.full
    assert rebuilt_says_the_same(db)


def test_bottles_are_locked_by_ascending_id_whatever_order_they_are_named_in(
    bottles: Bottles, office: Doing
) -> None:
    ids = [bottles.empty().id for _ in range(3)]
    act(office, lambda deed: _same(list(acts.lock(deed, reversed(ids))), sorted(ids)))


def _same(found: Any, expected: Any) -> None:
    assert found == expected


def test_a_stranger_at_the_door_is_told(bottles: Bottles, office: Doing, db: Session) -> None:
    def tell(deed: Deed) -> None:
        acts.stranger_seen(deed, resolve(deed.db, "A-7777"), where="door")

    act(office, tell)
    assert [(seen["where"], seen["code"]) for seen in sightings(db)] == [("door", "A-7777")]


def test_a_late_fact_that_contradicts_holds_the_bottle_until_a_person_resolves_it(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    """The house rule in the database: what a phone reports later is kept and placed by its time."""
    phone = new_id()
    act(office, load(bottles, visit))
    household = Holder(HolderKind.HOUSEHOLD, uuid4())

    def late(deed: Deed) -> None:
        cylinder = acts.lock(deed, [visit.full.id])[visit.full.id]
        record(
            deed,
            cylinder,
            FactKind.DELIVER,
            giver=Holder(HolderKind.COURIER, uuid4()),
            taker=household,
            errand=Errand(device_id=phone, device_seq=1),
            occurred_at=THE_DAY + timedelta(minutes=5),
        )

    act(office, late)
    assert holder(db, visit.full) == (HolderKind.COURIER, visit.bound.courier_id)
    conflict = db.scalars(sa.select(CustodyConflict)).one()
    put = db.scalars(sa.select(Hold)).one()
    assert (put.kind, put.reference) == (HoldKind.CONFLICT, str(conflict.fact_id))
    assert db.get_one(Cylinder, visit.full.id).state is CylinderState.HELD
    assert bottles.verdict(visit.full.code, purpose="dispatch")["reasons"][0]["code"] == (
        "refill.custody_conflict"
    )
    released = bottles.cast.regulator.post(
        f"/api/v1/cylinders/{visit.full.id}/releases", {"hold_id": str(put.id), "reference": "JD-1"}
    )
    assert [one["code"] for one in released.get_json()["reasons"]] == ["hold.of_conflict"]
    loaded = db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.LOAD)).one()
    resolved = made(
        bottles.cast.regulator.post(
            f"/api/v1/cylinders/{visit.full.id}/conflicts/{conflict.id}/resolutions",
            {"true_fact_id": str(loaded.id), "reason": "did_not_happen"},
        )
    )
    assert (resolved["resolution"], resolved["true_fact_id"]) == ("did_not_happen", str(loaded.id))
    db.expire_all()
    assert db.get_one(Cylinder, visit.full.id).state is CylinderState.IN_SERVICE
    assert db.scalars(sa.select(Hold)).one().until_at == THE_DAY
    assert bottles.verdict(visit.full.code, purpose="dispatch")["allowed"]
    assert rebuilt_says_the_same(db)


def test_facts_of_one_device_that_arrive_backwards_give_what_they_give_forwards(
    bottles: Bottles, visit: Visit, office: Doing, db: Session
) -> None:
    act(office, load(bottles, visit))
    phone, household = new_id(), Holder(HolderKind.HOUSEHOLD, uuid4())
    courier = Holder(HolderKind.COURIER, visit.bound.courier_id)
    hops = [
        (FactKind.DELIVER, courier, household),
        (FactKind.TAKE_EMPTY, household, courier),
        (FactKind.DELIVER, courier, household),
    ]
    for seq, (kind, giver, taker) in reversed(list(enumerate(hops, start=1))):

        def one(deed: Deed, seq: int = seq, hop: Any = (kind, giver, taker)) -> None:
            cylinder = acts.lock(deed, [visit.full.id])[visit.full.id]
            record(
                deed,
                cylinder,
                hop[0],
                giver=hop[1],
                taker=hop[2],
                errand=Errand(device_id=phone, device_seq=seq),
                occurred_at=THE_DAY + timedelta(minutes=seq),
            )

        act(office, one)
    standing = standing_custody(db, visit.full.id)
    assert standing is not None
    assert projection_of(standing) == project(facts_of(db, visit.full.id)).now
    assert (standing.holder_kind, standing.holder_id) == household
    assert project(facts_of(db, visit.full.id)).lost == ()

"""Custody: whatever order facts arrive in, the same bottle is in the same hands."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from core.ids import new_id
from cylinders.custody import Custody, Holder, Projection, Rulings, after, in_order, loses, project
from cylinders.models import CustodyFact, FactKind
from registry.models import HolderKind
from tests.conftest import THE_DAY

STATION, POINT = Holder(HolderKind.SITE, UUID(int=1)), Holder(HolderKind.SITE, UUID(int=2))
LIN, WANG = Holder(HolderKind.COURIER, UUID(int=3)), Holder(HolderKind.COURIER, UUID(int=4))
HOME, SHOP = Holder(HolderKind.HOUSEHOLD, UUID(int=5)), Holder(HolderKind.HOUSEHOLD, UUID(int=6))
AGENCY = Holder(HolderKind.AGENCY, UUID(int=7))
CARD = {HOME: UUID(int=15), SHOP: UUID(int=16)}
PHONE, TERMINAL = UUID(int=21), UUID(int=22)


def fact(
    kind: FactKind,
    giver: Holder | None,
    taker: Holder | None,
    minute: int = 0,
    device_id: UUID | None = None,
    device_seq: int | None = None,
    full: bool = False,
) -> CustodyFact:
    at = THE_DAY + timedelta(minutes=minute)
    return CustodyFact(
        id=new_id(),
        kind=kind,
        from_kind=giver and giver.kind,
        from_id=giver and giver.id,
        to_kind=taker and taker.kind,
        to_id=taker and taker.id,
        full=full,
        district=310105,
        occurred_at=at,
        effective_at=at,
        recorded_at=at,
        device_id=device_id,
        device_seq=device_seq,
        card_id=CARD.get(taker) if taker else None,
    )


def one_round() -> list[CustodyFact]:
    """Registered empty at the station, filled, loaded, delivered, taken back empty, returned."""
    return [
        fact(FactKind.REGISTER, None, STATION, 0),
        fact(FactKind.FILL, STATION, STATION, 1),
        fact(FactKind.LOAD, STATION, LIN, 2),
        fact(FactKind.DELIVER, LIN, HOME, 3),
        fact(FactKind.TAKE_EMPTY, HOME, LIN, 4),
        fact(FactKind.RETURN, LIN, STATION, 5),
    ]


def told(custody: Custody) -> tuple[Any, ...]:
    now = custody.now
    return now.holder, now.full, now.card_id, now.filled_at, now.district, custody.lost


def test_a_round_moves_the_bottle_from_hand_to_hand() -> None:
    facts = one_round()
    holders = [project(facts[: n + 1]).now for n in range(len(facts))]
    assert [now.holder for now in holders] == [STATION, STATION, LIN, HOME, LIN, STATION]
    assert [now.full for now in holders] == [False, True, True, True, False, False]
    assert [now.card_id for now in holders] == [None, None, None, CARD[HOME], None, None]
    assert project(facts).lost == ()


def test_a_full_bottle_brought_back_from_a_failed_stop_is_still_full() -> None:
    facts = [*one_round()[:3], fact(FactKind.RETURN, LIN, POINT, 4)]
    assert (project(facts).now.holder, project(facts).now.full) == (POINT, True)


def test_a_bottle_that_comes_straight_from_a_household_is_empty() -> None:
    facts = [*one_round()[:4], fact(FactKind.RETURN, HOME, STATION, 4)]
    assert (project(facts).now.holder, project(facts).now.full) == (STATION, False)


def test_a_site_that_scans_a_bottle_has_it_whoever_had_it_on_record() -> None:
    facts = [*one_round()[:4], fact(FactKind.RETURN, WANG, POINT, 4)]
    assert project(facts).now.holder == POINT
    assert project(facts).lost == ()


def test_of_two_who_deliver_one_bottle_the_earlier_stands_although_it_arrives_later() -> None:
    """House rule: A delivers to the home at 10:05, offline; B delivers it to the shop at 10:20, online."""
    registered, filled, loaded = one_round()[:3]
    by_a = fact(FactKind.DELIVER, LIN, HOME, 65, PHONE, 1)
    by_b = fact(FactKind.DELIVER, WANG, SHOP, 80)
    for arrival in ([by_b, by_a], [by_a, by_b]):
        custody = project([registered, filled, loaded, *arrival])
        assert custody.now.holder == HOME
        assert custody.lost == (by_b.id,)


def test_whoever_does_not_hold_a_bottle_cannot_hand_it_on() -> None:
    facts = [*one_round()[:2], fact(FactKind.DELIVER, LIN, HOME, 2)]
    custody = project(facts)
    assert (custody.now.holder, custody.lost) == (STATION, (facts[2].id,))


def test_a_clock_set_back_moves_nothing_before_what_the_same_device_did() -> None:
    registered, filled, _ = one_round()[:3]
    loaded = fact(FactKind.LOAD, STATION, LIN, 10, PHONE, 1)
    delivered = fact(FactKind.DELIVER, LIN, HOME, 4, PHONE, 2)
    custody = project([delivered, loaded, filled, registered])
    assert (custody.now.holder, custody.lost) == (HOME, ())
    assert [place.effective_at for place, _ in in_order([loaded, delivered])] == [
        THE_DAY + timedelta(minutes=10)
    ] * 2


def test_the_same_handover_told_by_both_sides_is_no_contradiction() -> None:
    registered, filled, loaded = one_round()[:3]
    by_the_phone = fact(FactKind.LOAD, STATION, LIN, 2, PHONE, 1)
    custody = project([registered, filled, loaded, by_the_phone])
    assert (custody.now.holder, custody.lost) == (LIN, ())
    by_another = fact(FactKind.LOAD, STATION, WANG, 3, TERMINAL, 1)
    assert project([registered, filled, loaded, by_another]).lost == (by_another.id,)


def test_a_fact_that_lost_says_against_which() -> None:
    registered, filled, loaded = one_round()[:3]
    delivered = fact(FactKind.DELIVER, LIN, HOME, 65, PHONE, 1)
    contradicting = fact(FactKind.DELIVER, WANG, SHOP, 80, TERMINAL, 1)
    custody = project([contradicting, registered, filled, loaded])
    assert custody.against == {contradicting.id: loaded.id}
    custody = project([contradicting, registered, filled, loaded, delivered])
    assert custody.against == {contradicting.id: delivered.id}


def test_a_fact_declared_an_error_is_left_out_and_one_found_true_stands() -> None:
    registered, filled, loaded = one_round()[:3]
    delivered = fact(FactKind.DELIVER, LIN, HOME, 65, PHONE, 1)
    contradicting = fact(FactKind.DELIVER, WANG, SHOP, 80, TERMINAL, 1)
    facts = [registered, filled, loaded, delivered, contradicting]
    found = project(
        facts, Rulings(frozenset({delivered.id}), {contradicting.id: THE_DAY + timedelta(hours=3)})
    )
    assert (found.now.holder, found.now.card_id, found.lost) == (SHOP, CARD[SHOP], ())
    kept = project(facts, Rulings(frozenset({contradicting.id})))
    assert (kept.now.holder, kept.now.card_id, kept.lost) == (HOME, CARD[HOME], ())


def test_what_came_to_light_after_a_fact_was_found_true_can_contradict_it() -> None:
    """The person weighed what was known then: not that a site had scanned the bottle in between."""
    registered, filled, loaded = one_round()[:3]
    found_true = fact(FactKind.DELIVER, WANG, SHOP, 80, TERMINAL, 1)
    scanned = fact(FactKind.RETURN, LIN, STATION, 70, PHONE, 1)
    rulings = Rulings(believed={found_true.id: THE_DAY + timedelta(minutes=100)})
    weighed = project([registered, filled, loaded, scanned, found_true], rulings)
    assert (weighed.now.holder, weighed.lost) == (SHOP, ())
    scanned.recorded_at = THE_DAY + timedelta(minutes=120)
    found = project([registered, filled, loaded, scanned, found_true], rulings)
    assert (found.now.holder, found.against) == (SHOP, {found_true.id: scanned.id})


def test_with_every_fact_declared_an_error_nobody_has_the_bottle() -> None:
    registered = one_round()[0]
    custody = project([registered], Rulings(frozenset({registered.id})))
    assert (custody.now.holder, custody.now.by, custody.lost) == (None, None, ())


def test_a_registration_does_not_move_a_bottle_that_was_seen_before_it() -> None:
    seen = fact(FactKind.RETURN, None, POINT, 0)
    registered = fact(FactKind.REGISTER, None, STATION, 1)
    assert project([registered, seen]).now.holder == POINT


# --------------------------------------------------------------------------------------------------------

HOLDERS = st.sampled_from([STATION, POINT, LIN, WANG, HOME, SHOP, AGENCY])


@st.composite
def histories(draw: st.DrawFn) -> list[CustodyFact]:
    """Facts of a bottle, plausible or not: some online, some from two devices with sequences of their own."""
    facts = []
    next_seq = {PHONE: 1, TERMINAL: 1}
    for number in range(draw(st.integers(1, 14))):
        device = draw(st.sampled_from([None, PHONE, TERMINAL]))
        minute = number if device is None else draw(st.integers(0, 20))
        seq = None
        if device is not None:
            seq, next_seq[device] = next_seq[device], next_seq[device] + draw(st.integers(1, 2))
        kind = draw(st.sampled_from(list(FactKind)))
        facts.append(fact(kind, draw(HOLDERS), draw(HOLDERS), minute, device, seq, draw(st.booleans())))
    return facts


@settings(max_examples=200, deadline=None)
@given(histories(), st.randoms())
def test_any_order_of_arrival_gives_the_same_custody(facts: list[CustodyFact], random: Any) -> None:
    expected = told(project(facts))
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert told(project(shuffled)) == expected


@settings(max_examples=200, deadline=None)
@given(histories(), st.randoms(), st.data())
def test_any_order_of_arrival_gives_the_same_custody_also_after_what_persons_said(
    facts: list[CustodyFact], random: Any, data: st.DataObject
) -> None:
    ids = st.sets(st.sampled_from([one.id for one in facts]))
    found_true_at = st.integers(0, 20).map(lambda minute: THE_DAY + timedelta(minutes=minute))
    believed = st.dictionaries(st.sampled_from([one.id for one in facts]), found_true_at)
    rulings = Rulings(frozenset(data.draw(ids)), data.draw(believed))
    expected = project(facts, rulings)
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert project(shuffled, rulings) == expected
    assert not rulings.withdrawn & set(expected.lost)
    recorded_at = {one.id: one.recorded_at for one in facts}
    for lost in rulings.believed.keys() & set(expected.lost):
        standing = expected.against[lost]
        assert standing is not None
        assert recorded_at[standing] > rulings.believed[lost]


@settings(max_examples=200, deadline=None)
@given(histories())
def test_a_devices_sequence_is_never_reversed(facts: list[CustodyFact]) -> None:
    ordered = in_order(facts)
    assert all(one <= other for (one, _), (other, _) in pairwise(ordered))
    for device in (PHONE, TERMINAL):
        sequence = [one.device_seq for _, one in ordered if one.device_id == device]
        assert sequence == sorted(sequence, key=lambda seq: seq or 0)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_telling_facts_one_by_one_gives_what_the_fold_gives(facts: list[CustodyFact]) -> None:
    """The step that the online path takes is the fold's own."""
    now: Projection | None = None
    lost: list[UUID] = []
    for place, one in in_order(facts):
        lost += [one.id] if loses(now, one) else []
        now = after(now, one, place)
    assert (now, tuple(lost)) == (project(facts).now, project(facts).lost)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_a_card_is_named_only_while_a_household_could_hold_the_bottle(facts: list[CustodyFact]) -> None:
    now = project(facts).now
    assert now.card_id is None or now.holder is not None
    assert now.place == max(place for place, _ in in_order(facts))

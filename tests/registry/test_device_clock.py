"""When a phone says that something happened: by our anchor, else by its wall clock within what we know."""

from datetime import timedelta

import pytest

from core import clock
from core.ids import new_id
from core.sealed import Keyring, Purpose
from registry.device_clock import Anchor, Clocked, clocked, give_anchor, read_anchor
from tests.conftest import THE_DAY

DEVICE = new_id()
ANCHOR = Anchor(DEVICE, THE_DAY, "n", "boot-1", 1_000)
RECEIVED = THE_DAY + timedelta(hours=3)
ENTERED = THE_DAY - timedelta(days=2)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def told(
    ran: timedelta = timedelta(),
    *,
    wall: timedelta | None = None,
    boot: str = "boot-1",
    anchored: bool = True,
) -> Clocked:
    """Of a scan ``ran`` after the anchor, whose wall clock says ``wall`` after it."""
    return clocked(
        wall_time=THE_DAY + (ran if wall is None else wall),
        boot_id=boot,
        mono_ms=1_000 + int(ran / timedelta(milliseconds=1)),
        anchor=ANCHOR if anchored else None,
        since=ENTERED,
        received_at=RECEIVED,
    )


def test_after_an_anchor_of_the_same_start_the_monotonic_clock_tells() -> None:
    found = told(minutes(65))
    assert found == Clocked(
        THE_DAY + minutes(65),
        THE_DAY + minutes(65) - timedelta(seconds=2),
        THE_DAY + minutes(65) + timedelta(seconds=2),
        (),
    )
    assert found.uncertainty_s == 2


@pytest.mark.parametrize(("off", "flags"), [(4.9, ()), (5.1, ("clock_skew",)), (-420, ("clock_skew",))])
def test_a_wall_clock_more_than_five_minutes_off_is_flagged_and_moves_nothing(
    off: float, flags: tuple[str, ...]
) -> None:
    found = told(minutes(65), wall=minutes(65 + off))
    assert (found.occurred_at, found.flags) == (THE_DAY + minutes(65), flags)


def test_after_a_restart_the_wall_clock_tells_and_all_since_the_anchor_is_uncertain() -> None:
    found = told(minutes(65), boot="boot-2")
    assert (found.occurred_at, found.earliest, found.latest) == (THE_DAY + minutes(65), THE_DAY, RECEIVED)
    assert (found.uncertainty_s, found.flags) == (115 * 60, ())


@pytest.mark.parametrize(
    ("wall", "at", "flags"),
    [(-60, 0, ("clock_skew",)), (-4, 0, ()), (184, 180, ()), (600, 180, ("clock_skew",))],
)
def test_a_wall_clock_outside_what_is_possible_is_moved_to_its_edge(
    wall: float, at: float, flags: tuple[str, ...]
) -> None:
    found = told(wall=minutes(wall), boot="boot-2")
    assert (found.occurred_at, found.flags) == (THE_DAY + minutes(at), flags)


def test_without_an_anchor_nothing_happened_before_the_device_was_entered() -> None:
    found = told(minutes(65), anchored=False)
    assert (found.earliest, found.flags) == (ENTERED, ("no_anchor",))
    assert told(wall=-timedelta(days=9), anchored=False).occurred_at == ENTERED


def test_a_monotonic_clock_that_ran_back_tells_nothing() -> None:
    found = clocked(
        wall_time=THE_DAY + minutes(3),
        boot_id="boot-1",
        mono_ms=999,
        anchor=ANCHOR,
        since=ENTERED,
        received_at=RECEIVED,
    )
    assert (found.occurred_at, found.flags) == (THE_DAY + minutes(3), ("clock_ran_back",))


def test_nothing_happened_after_it_was_received() -> None:
    found = told(timedelta(hours=4))
    assert (found.occurred_at, found.latest, found.flags[0]) == (RECEIVED, RECEIVED, "clock_ahead")
    assert found.earliest == ANCHOR.server_time


def test_a_clock_that_stood_still_while_the_phone_slept_may_be_as_late_as_the_wall_clock_says() -> None:
    found = told(minutes(65), wall=minutes(125))
    assert (found.occurred_at, found.latest) == (THE_DAY + minutes(65), THE_DAY + minutes(125))
    early = told(minutes(65), wall=minutes(5))
    assert early.latest == THE_DAY + minutes(65) + timedelta(seconds=2)


def test_an_anchor_comes_back_as_given_and_only_to_its_own_device() -> None:
    keyring = Keyring.fresh()
    sealed, given = give_anchor(keyring, DEVICE, nonce="n", boot_id="boot-1", mono_ms=7)
    assert read_anchor(keyring, DEVICE, sealed) == given
    assert given.server_time == clock.now()
    assert read_anchor(keyring, new_id(), sealed) is None
    assert read_anchor(Keyring.fresh(), DEVICE, sealed) is None
    assert read_anchor(keyring, DEVICE, sealed[:-1]) is None
    assert read_anchor(keyring.with_new_key(Purpose.SIGNING), DEVICE, sealed) == given

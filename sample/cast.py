"""Who plays which part: the users and bottles of a run, who books, and who is going to hear no, and why.

Pure functions of the sample and a scale. Everything the day's story needs is chosen here, so that the story
itself only has to be told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from sample import bottles, places
from sample.bottles import CylinderFault, SampleCylinder
from sample.firms import FILLING_SITE, FIRMS, SUPPLY_SITE
from sample.places import CHANGNING, QINGPU, PremisesFault, SamplePremises, UseKind


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of the sample is built and lived. None: all of it."""

    name: str
    sound_users_a_zone: int | None
    qingpu_users: int | None
    bottles_of_each_fault: int | None
    stock_a_site: int | None
    deliveries_a_zone: tuple[int, ...]
    """By zone of Changning, west to east."""


FULL = Scale("full", None, None, None, None, (16, 16, 22, 24, 20, 22))
SMALL = Scale("small", 4, 6, 1, 14, (3, 3, 3, 3, 3, 3))
SCALES = {scale.name: scale for scale in (FULL, SMALL)}

SLOTS = ((8, 11), (11, 14), (14, 17), (17, 20))
"""Hours of the day."""
BOOKED_SLOTS, EVENING = 3, 3
LAST_TOMORROW = 3
TOMORROWS_A_ZONE = 3
PLENTY = 20
MOST_LINES = 2
QUOTA_ZONE, BOUGHT_BEFORE = 3, 3
LARGE_MODEL = "YSP118"

# What a place may not be supplied for, found at booking from its file. The others are found at the door.
_FOUND_AT_BOOKING = {
    PremisesFault.HIGH_RISE, PremisesFault.BASEMENT, PremisesFault.SEMI_BASEMENT, PremisesFault.GARAGE,
    PremisesFault.LARGE_INDOORS, PremisesFault.OVER_WEIGHT,
}  # fmt: skip
_FOUND_IN_QINGPU = {PremisesFault.PIPED_ESTATE, PremisesFault.LIFT_BUILDING}

FOUND_AT_THE_DOOR = {
    PremisesFault.BEDROOM: "room_allowed",
    PremisesFault.SECOND_FIRE: "single_fuel",
    PremisesFault.DINING_AREA: "room_allowed",
    PremisesFault.NO_ALARM: "leak_alarm",
}
"""Faults no file tells of, and the item of the safety check that finds each."""


@dataclass(frozen=True, slots=True)
class Booking:
    """An order of the day. ``lines`` are how many of the user's cards; ``slot`` counts SLOTS.

    ``again``: the second of the day, after what stopped the first was put right.
    """

    user: SamplePremises
    slot: int
    lines: int
    by_hotline: bool
    again: bool = False

    @property
    def finding(self) -> str | None:
        """The item of the safety check that will stop supply at the door."""
        return FOUND_AT_THE_DOOR.get(self.user.fault) if self.user.fault and not self.again else None

    @property
    def number(self) -> int:
        return self.user.number

    @property
    def is_plain(self) -> bool:
        """One bottle, booked by the user over the web by day, for a place with nothing wrong."""
        return self.lines == 1 and not self.by_hotline and not self.finding and self.slot != EVENING


class Cast:
    def __init__(self, scale: Scale):
        self.scale = scale

    # --- who there is -------------------------------------------------------------------------------------

    @cached_property
    def users(self) -> tuple[SamplePremises, ...]:
        """Everybody of the sample; at a smaller scale a few of each zone and one with each fault."""
        everybody = (*places.premises(CHANGNING), *places.premises(QINGPU))
        kept: Counter[tuple[Any, ...]] = Counter()
        return tuple(user for user in everybody if self._is_kept(user, kept))

    def user(self, number: int) -> SamplePremises:
        return self._by_number[number]

    @cached_property
    def _by_number(self) -> dict[int, SamplePremises]:
        return {user.number: user for user in self.users}

    def _is_kept(self, user: SamplePremises, kept: Counter[tuple[Any, ...]]) -> bool:
        most = self.scale.sound_users_a_zone
        if user.district == QINGPU:
            most = self.scale.qingpu_users and self.scale.qingpu_users // 3
            kind: tuple[Any, ...] = (user.district, user.fault)
        elif user.fault is not None:
            most = None if most is None else 1
            kind = (user.district, user.fault)
        else:
            kind = (user.district, user.zone, user.is_household, user.cylinder_model == LARGE_MODEL)
        kept[kind] += 1
        return most is None or kept[kind] <= most

    @cached_property
    def bottles(self) -> tuple[SampleCylinder, ...]:
        """Those the users hold, and what stands at the sites."""
        numbers = {user.number for user in self.users}
        kept: Counter[tuple[Any, ...]] = Counter()
        return tuple(bottle for bottle in bottles.cylinders() if self._is_there(bottle, numbers, kept))

    def _is_there(self, bottle: SampleCylinder, numbers: set[int], kept: Counter[tuple[Any, ...]]) -> bool:
        if bottle.held_by is not None:
            return bottle.held_by in numbers and bottle.held_by != self.without_bottle.number
        kind = (
            (bottle.fault,) if bottle.fault else (bottle.at_site, bottle.is_full, bottle.model == LARGE_MODEL)
        )
        most = self.scale.bottles_of_each_fault if bottle.fault else self.scale.stock_a_site
        kept[kind] += 1
        return most is None or kept[kind] <= most

    def bottle(self, number: int) -> SampleCylinder:
        return self._bottles_by_number[number]

    @cached_property
    def _bottles_by_number(self) -> dict[int, SampleCylinder]:
        return {bottle.number: bottle for bottle in self.bottles}

    @cached_property
    def held(self) -> dict[int, list[SampleCylinder]]:
        """By premises number: what stands on the user's cards, in the cards' order."""
        found: dict[int, list[SampleCylinder]] = {}
        for bottle in self.bottles:
            if bottle.held_by is not None:
                found.setdefault(bottle.held_by, []).append(bottle)
        return found

    @cached_property
    def faulty_at_stations(self) -> tuple[SampleCylinder, ...]:
        return tuple(bottle for bottle in self.bottles if bottle.fault and bottle.at_site)

    # --- those who are going to hear no at booking -------------------------------------------------------

    @cached_property
    def _sound(self) -> tuple[SamplePremises, ...]:
        """Nothing is wrong with the place, nor with the bottles there."""
        spoilt = {bottle.held_by for bottle in bottles.cylinders() if bottle.fault and bottle.held_by}
        return tuple(
            user
            for user in self.users
            if user.district == CHANGNING and user.fault is None and user.number not in spoilt
        )

    def _special(self, index: int, kind: UseKind) -> SamplePremises:
        return self._last(kind)[index]

    def _last(self, kind: UseKind) -> list[SamplePremises]:
        """The sound ones from the last on, so that the day's deliveries find the first."""
        return [user for user in reversed(self._sound) if user.kind is kind and not user.has_cylinder_room]

    @cached_property
    def expired(self) -> SamplePremises:
        """The registrant's document runs out a week before the day."""
        return self._special(0, UseKind.HOUSEHOLD)

    @cached_property
    def suspended(self) -> SamplePremises:
        return self._special(1, UseKind.HOUSEHOLD)

    @cached_property
    def card_lost(self) -> SamplePremises:
        return self._special(2, UseKind.HOUSEHOLD)

    @cached_property
    def without_bottle(self) -> SamplePremises:
        """The card holds nothing to swap, and nobody has said why."""
        return self._special(3, UseKind.HOUSEHOLD)

    @cached_property
    def too_late(self) -> SamplePremises:
        """Asks for a slot that is over, for a full one, and forgets to say what the gas is for.

        Not looked after first: of places that are kept for such homes it is to be refused one.
        """
        return next(user for user in self._last(UseKind.HOUSEHOLD)[4:] if user.vulnerability is None)

    @cached_property
    def without_contract(self) -> SamplePremises:
        return self._special(0, UseKind.RESTAURANT)

    @cached_property
    def cleared_out(self) -> SamplePremises:
        """A restaurant that books in the new year, when Changning supplies residents only."""
        return self._special(1, UseKind.RESTAURANT)

    @cached_property
    def resident_in_new_year(self) -> SamplePremises:
        return self.too_late

    @cached_property
    def giver(self) -> SamplePremises:
        """Wants to hand the account to another person; nobody may in Changning."""
        return self.too_late

    @cached_property
    def spends_its_quota(self) -> SamplePremises:
        """A home that had three bottles within the ten days before, and asks for two more."""
        return next(
            user
            for user in reversed(self._sound)
            if user.is_household
            and user.zone == QUOTA_ZONE
            and user.cylinder_model == "YSP35.5"
            and user.number not in self._refused
        )

    @cached_property
    def bought_before(self) -> tuple[int, ...]:
        """The numbers of those three, as they came."""
        user = self.spends_its_quota
        of_its_kind = [
            one.number
            for one in self.full_ones
            if (one.owner_firm, one.model) == (user.firm, user.cylinder_model)
        ]
        return tuple(of_its_kind[-BOUGHT_BEFORE:])

    @cached_property
    def first_held_by_it(self) -> int:
        return next(one.number for one in self.bottles if one.held_by == self.spends_its_quota.number)

    @cached_property
    def _specials(self) -> set[int]:
        return {*self._refused, self.spends_its_quota.number}

    @cached_property
    def _refused(self) -> set[int]:
        return {
            user.number
            for user in (
                self.expired, self.suspended, self.card_lost, self.without_bottle, self.too_late,
                self.without_contract, self.cleared_out,
            )
        }  # fmt: skip

    @cached_property
    def refused_places(self) -> tuple[SamplePremises, ...]:
        """Places that may not be supplied, by a rule that binds where they are; of Qingpu two of each."""
        seen: Counter[PremisesFault | None] = Counter()
        found = []
        for user in self.users:
            binding = _FOUND_AT_BOOKING if user.district == CHANGNING else _FOUND_IN_QINGPU
            if user.fault in binding:
                seen[user.fault] += 1
                if seen[user.fault] <= 2:
                    found.append(user)
        return tuple(found)

    # --- those who are supplied -----------------------------------------------------------------------------

    @cached_property
    def bookings(self) -> tuple[Booking, ...]:
        """The day's orders, zone by zone: one with each fault that only a look finds, the large sizes, then
        as many others as there are bottles for."""
        left = Counter((bottle.owner_firm, bottle.model) for bottle in (*self.full_ones, *self.empties))
        left[self._kind_bought_before] -= BOUGHT_BEFORE
        found: list[Booking] = []
        for zone, wanted in enumerate(self.scale.deliveries_a_zone, start=1):
            chosen: list[SamplePremises] = []
            for user in self._candidates(zone):
                lines = min(user.cards, MOST_LINES)
                if len(chosen) < wanted and left[user.firm, user.cylinder_model] >= lines:
                    left[user.firm, user.cylinder_model] -= lines
                    chosen.append(user)
            found += [
                Booking(user, i % BOOKED_SLOTS, min(user.cards, MOST_LINES), by_hotline=i % 3 == 2)
                for i, user in enumerate(chosen)
            ]
            if zone == self.too_late.zone:
                found[-1] = replace(found[-1], slot=EVENING, by_hotline=False)
        return tuple(found)

    def capacity(self, zone: int, slot: int, *, tomorrow: bool) -> int:
        """Plenty; but in one zone tomorrow's evening has room for one bottle only, which is taken early."""
        return 1 if tomorrow and (zone, slot) == (self.too_late.zone, LAST_TOMORROW) else PLENTY

    # --- to whom something happens ------------------------------------------------------------------------

    @cached_property
    def _plain(self) -> list[Booking]:
        """Plain bookings, one of each zone by turns, so that no zone has all the mishaps."""
        by_zone: dict[int, list[Booking]] = {}
        for booking in self.bookings:
            if booking.is_plain:
                by_zone.setdefault(booking.user.zone, []).append(booking)
        turns = [(rank, zone, one) for zone, own in by_zone.items() for rank, one in enumerate(own)]
        return [one for _, _, one in sorted(turns, key=lambda turn: turn[:2])]

    @cached_property
    def nobody_home(self) -> Booking:
        return self._plain[1]

    @cached_property
    def refuses_check(self) -> Booking:
        """Will not let the courier look; and thinks better of it by noon."""
        return self._plain[2]

    @cached_property
    def hazard_at_home(self) -> Booking:
        """The bottle stands in a bedroom; mended by moving it to the kitchen."""
        return next(one for one in self.bookings if one.user.fault is PremisesFault.BEDROOM)

    @cached_property
    def booked_by_two(self) -> tuple[Booking, Booking]:
        """The same booking by the family and by the hotline at once; and two that differ in their purpose."""
        return self._plain[-1], self._plain[-2]

    @cached_property
    def wrong_code(self) -> Booking:
        return self._plain[0]

    @cached_property
    def wrong_things(self) -> dict[str, Booking]:
        """What is shown first at a door, and refused; the right thing follows."""
        offline = int(self.without_network.removeprefix("trike_"))
        free = [
            one
            for one in self._plain
            if one not in (self.nobody_home, self.refuses_check) and one.user.zone != offline
        ]
        return {
            what: free[(1 + i) % len(free)] for i, what in enumerate(("empty", "foreign", "card", "label"))
        }

    @cached_property
    def contactless(self) -> Booking:
        """Who has booked the evening over the web to have the bottle left at the door, and shows the courier
        the home by video."""
        return next(one for one in self.bookings if one.slot == EVENING)

    @cached_property
    def signs(self) -> Booking | None:
        """The last who booked by telephone signs for the bottle; the others show their card."""
        return next((one for one in reversed(self.bookings) if one.by_hotline and one.lines == 1), None)

    @cached_property
    def again(self) -> tuple[Booking, ...]:
        """The day's second orders, for the evening."""
        cured = (self.hazard_at_home, self.refuses_check, self.nobody_home)
        return tuple(replace(one, slot=EVENING, by_hotline=True, again=True) for one in cured)

    @cached_property
    def waiting(self) -> Booking:
        """Books for the evening; at nine the courier still has to come. Next door to one supplied again."""
        return Booking(self._spare(self.refuses_check.user.zone)[0], EVENING, 1, by_hotline=False)

    @cached_property
    def tomorrow(self) -> tuple[SamplePremises, ...]:
        """Who books for tomorrow: a few of each zone, whom nobody has planned yet."""
        zones = [zone.number for zone in places.zones(CHANGNING)]
        return tuple(
            user
            for zone in zones
            for user in [one for one in self._spare(zone) if one != self.waiting.user][:TOMORROWS_A_ZONE]
        )

    @cached_property
    def passes_on(self) -> SamplePremises:
        """A home whose registrant died, and which books nothing."""
        busy = {booking.number for booking in self.bookings} | self._specials
        busy |= {user.number for user in (*self.tomorrow, self.waiting.user)}
        homes = [user for user in self.users if user.district == CHANGNING and user.fault is None]
        return next(user for user in reversed(homes) if user.is_household and user.number not in busy)

    @cached_property
    def takes_the_last(self) -> SamplePremises:
        """Of those, who takes the only room of tomorrow's evening."""
        return next(user for user in self.tomorrow if user.zone == self.too_late.zone)

    @cached_property
    def helped(self) -> SamplePremises:
        """Of those who book for tomorrow: for whom a neighbour does."""
        return [user for user in self.tomorrow if user != self.takes_the_last][-1]

    @cached_property
    def helper(self) -> SamplePremises:
        """The neighbour, who books for themselves too."""
        return [user for user in self.tomorrow if user != self.takes_the_last][-2]

    @cached_property
    def landlord(self) -> SamplePremises:
        """Whose registrant lets ``helped`` their home: another customer of the same firm."""
        return next(user for user in self.tomorrow if user.firm == self.helped.firm and user != self.helped)

    def _spare(self, zone: int) -> list[SamplePremises]:
        """Sound households of the zone to whom nothing else happens, with a bottle to swap."""
        taken = {booking.number for booking in self.bookings} | self._specials
        return [
            user
            for user in self._sound
            if user.zone == zone
            and user.is_household
            and user.number not in taken
            and user.number in self.held
        ]

    @property
    def _kind_bought_before(self) -> tuple[str, str]:
        return self.spends_its_quota.firm, self.spends_its_quota.cylinder_model

    @property
    def without_network(self) -> str:
        """The vehicle whose courier's phone has no network for three hours."""
        return "trike_6"

    @property
    def mistypes(self) -> str:
        """The vehicle whose courier types another bottle's number, twice."""
        return "trike_1"

    @property
    def bindings_that_change(self) -> tuple[str, str]:
        """The vehicle whose courier does not come in the morning, and the one whose courier falls ill."""
        return "trike_2", "trike_5"

    # --- orders -------------------------------------------------------------------------------------------

    def _candidates(self, zone: int) -> Iterator[SamplePremises]:
        here = [user for user in self.users if user.district == CHANGNING and user.zone == zone]
        yield from _first_of_each([user for user in here if user.fault in FOUND_AT_THE_DOOR])
        sound = [user for user in here if user in self._sound and user.number not in self._specials]
        large = [user for user in sound if user.cylinder_model == LARGE_MODEL]
        yield from large[:1]
        # One whose bottle has fallen due since it was delivered: the empty must come back all the same.
        overdue = [user for user in here if self._holds_overdue(user)]
        yield from overdue[:1]
        yield from _mixed([user for user in sound if user not in large])

    def _holds_overdue(self, user: SamplePremises) -> bool:
        held = self.held.get(user.number, ())
        return user.fault is None and any(bottle.fault is CylinderFault.OVERDUE for bottle in held)

    @cached_property
    def full_ones(self) -> tuple[SampleCylinder, ...]:
        """Sound and full at the firms' supply points."""
        return self._stock(SUPPLY_SITE, is_full=True)

    @cached_property
    def empties(self) -> tuple[SampleCylinder, ...]:
        """Sound and empty at the firms' filling stations."""
        return self._stock(FILLING_SITE, is_full=False)

    def _stock(self, site_of: dict[str, str], *, is_full: bool) -> tuple[SampleCylinder, ...]:
        return tuple(
            bottle
            for bottle in self.bottles
            if not bottle.fault
            and bottle.is_full is is_full
            and bottle.at_site is not None
            and bottle.at_site == site_of.get(bottle.owner_firm)
        )

    @cached_property
    def to_fill(self) -> tuple[SampleCylinder, ...]:
        """What the stations fill in the morning: a few of every firm, and what the day's orders lack."""
        needed = Counter[tuple[str, str]]()
        for booking in self.bookings:
            needed[booking.user.firm, booking.user.cylinder_model] += booking.lines
        for booking in (*self.again, self.waiting):
            needed[booking.user.firm, booking.user.cylinder_model] += booking.lines
        needed["changning_west", "YSP35.5"] += 1  # one will not be found when it is wanted
        needed[self._kind_bought_before] += BOUGHT_BEFORE
        needed.subtract(Counter((bottle.owner_firm, bottle.model) for bottle in self.full_ones))
        found: list[SampleCylinder] = []
        for firm in FIRMS:
            own = [bottle for bottle in self.empties if bottle.owner_firm == firm.key]
            for model in sorted({bottle.model for bottle in own}):
                of_model = [bottle for bottle in own if bottle.model == model]
                found += of_model[: max(needed[firm.key, model], _FILLED_ANYWAY if model == "YSP35.5" else 0)]
        return tuple(found)

    @cached_property
    def never_received(self) -> SampleCylinder:
        """Filled and unloaded at the supply point with the others, and not scanned there."""
        of_west = [
            one for one in self.to_fill if (one.owner_firm, one.model) == ("changning_west", "YSP35.5")
        ]
        return of_west[-1]

    # --- papers --------------------------------------------------------------------------------------------

    @cached_property
    def with_token(self) -> tuple[int, ...]:
        """Who books for themselves, over the web."""
        own = {booking.number for booking in (*self.bookings, self.waiting) if not booking.by_hotline}
        refused = {user.number for user in self.refused_places}
        return tuple(sorted(own | refused | self._specials | {self.helped.number, self.helper.number}))

    @cached_property
    def with_new_card(self) -> tuple[Booking, ...]:
        """Whose card a courier is going to scan."""
        return (*self.bookings, self.waiting, Booking(self.spends_its_quota, 0, 1, by_hotline=False))

    def document_until(self, user: SamplePremises) -> date | None:
        return date(2024, 6, 5) if user == self.expired else None

    def opened_on(self, user: SamplePremises) -> date:
        """All before the rulebook's first day, but for a few who opened in the forty days that only a later
        notice made late: they are supplied, and stand on a review list."""
        if user.district == CHANGNING and user.is_household and user.number % 150 == 7:
            return date(2023, 8, 1 + user.number % 28)
        return date(2016 + user.number % 5, 1 + user.number % 12, 1 + user.number % 28)

    def applied_on(self, user: SamplePremises) -> date | None:
        """Who opened in those forty days had applied in July."""
        return date(2023, 7, 20) if self.opened_on(user) >= date(2023, 8, 1) else None

    def contract_of(self, user: SamplePremises) -> dict[str, str] | None:
        if user.is_household or user == self.without_contract:
            return None
        until = "2025-12-31" if user == self.cleared_out else "2024-12-31"
        return {"number": f"YLHT-{user.number:04}", "valid_from": "2024-01-01", "valid_until": until}

    @property
    def bound_late(self) -> frozenset[str]:
        """A truck that comes back from the workshop on the day itself: until then its zone's large orders
        cannot be planned."""
        return frozenset({"truck_6"})

    @cached_property
    def newcomer(self) -> dict[int, SamplePremises]:
        """A family nobody has on file yet, in either district: the plainest place there is, another door."""
        return {district: self._next_door(district) for district in (CHANGNING, QINGPU)}

    def _next_door(self, district: int) -> SamplePremises:
        plain = next(user for user in self.users if user.district == district and user.fault is None)
        return _at_another_door(plain)


NEWCOMER = 5000
"""Numbers from here are people who are not users of the sample."""
_FILLED_ANYWAY = 4


def _at_another_door(plain: SamplePremises) -> SamplePremises:
    return replace(plain, number=NEWCOMER + plain.number, address=f"{plain.address} 东间")


def _first_of_each(users: Iterable[SamplePremises]) -> list[SamplePremises]:
    return list({user.fault: user for user in reversed(list(users))}.values())


def _mixed(users: list[SamplePremises]) -> Iterator[SamplePremises]:
    """Households and businesses by turns, three to one."""
    homes = iter([user for user in users if user.is_household])
    businesses = iter([user for user in users if not user.is_household])
    for user in homes:
        yield user
        for _ in range(2):
            yield from _one(homes)
        yield from _one(businesses)
    yield from businesses


def _one(users: Iterator[SamplePremises]) -> Iterator[SamplePremises]:
    if (user := next(users, None)) is not None:
        yield user

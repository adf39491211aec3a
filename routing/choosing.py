"""Trips put together anew: of the trips met in good plans, those that serve the same stops for less.

The search changes a few trips at a time, and whether a trip is good is seen only once the others have come to
terms with it. So the trips of good plans are kept. Now and then each of them is tried: it takes the place of
the trips it shares stops with, and the other stops of those must be divided, each once, among further trips
met, for less in all. The dividing is a search in depth through few candidates, bounded by a count and not by
a clock, so that the same search chooses alike.

It is done only where all vehicles are alike and none has begun its day: there any of them may drive any trip,
and the trips chosen are dealt out anew, the most urgent first.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from routing.kernel import STATION, Whole, Yes, compiled
from routing.timetable import Rounds, Timetable, Trip

Bits: TypeAlias = NDArray[np.uint64]

WORD = 64  # stops in one number
NOTHING = np.uint64(0)
MOST_MET = 4_000
MOST_GIVEN_UP = 6  # trips that one may take the place of
MOST_STEPS = 3_000  # in depth, for one that is tried
DEEPEST = 64


def may_choose(timetable: Timetable) -> bool:
    """May any vehicle drive any trip, and is the way all that it costs?"""
    first, every = timetable.vehicles[0], tuple(range(len(timetable.vehicles)))
    return (
        first.max_trips > 1
        and all(
            not one.holds_first
            and (one.profile, one.capacity, one.max_trips, one.shift)
            == (first.profile, first.capacity, first.max_trips, first.shift)
            for one in timetable.vehicles
        )
        and all(timetable.able[place] == every for place in timetable.servable)
        and not any(stop.late_weight for stop in timetable.stops)
    )


class TripsMet:
    """The trips met; of several with the same stops the shortest."""

    def __init__(self, timetable: Timetable) -> None:
        self.timetable = timetable
        self.seen: set[tuple[int, ...]] = set()
        self.shortest: dict[frozenset[int], tuple[int, tuple[int, ...]]] = {}

    def note(self, route: Whole, lengths: Whole) -> None:
        """Keep the trips of rounds as the search has them, until there are enough."""
        for row, length in zip(route.tolist(), lengths.tolist(), strict=True):
            for trip in trips_in(row[1:length]):
                if trip not in self.seen and len(self.seen) < MOST_MET:
                    self._note(trip)

    def _note(self, trip: tuple[int, ...]) -> None:
        self.seen.add(trip)
        stops = frozenset(trip)
        known = self.shortest.get(stops)
        cost = self.timetable.travel_s(0, [list(trip)])
        if known is None or cost < known[0]:
            self.shortest[stops] = cost, trip

    def cheaper(self, rounds: Rounds) -> Rounds | None:
        """``rounds`` with some of their trips given up for others met, if that is cheaper."""
        driven = [tuple(trip) for trips in rounds for trip in trips]
        for trip in driven:
            self._note(trip)
        met = sorted(self.shortest.values(), key=lambda one: (one[0] / len(one[1]), one[1]))
        number = {frozenset(trip): n for n, (_, trip) in enumerate(met)}
        bits = bits_of([trip for _, trip in met], len(self.timetable.stops))
        costs = np.array([cost for cost, _ in met], dtype=np.int64)
        chosen = np.array([number[frozenset(trip)] for trip in driven], dtype=np.int64)
        work, found, is_better = _work(len(met), bits.shape[1]), None, True
        while is_better:
            is_better, tried = False, 0
            while (tried := exchange(bits, costs, chosen, tried, work)) < len(met):
                tried += 1
                other = work.chosen[: work.counts[CHOSEN]].copy()
                dealt = dealt_out(self.timetable, [list(met[n][1]) for n in other])
                if dealt is not None:
                    chosen, found, is_better = other, dealt, True
        return found


def trips_in(row: list[int]) -> Iterator[tuple[int, ...]]:
    """Of places, with the station after each trip."""
    begin = 0
    for k, place in enumerate(row):
        if place == STATION:
            if k > begin:
                yield tuple(row[begin:k])
            begin = k + 1


def bits_of(trips: list[tuple[int, ...]], stops: int) -> Bits:
    """A row for each trip, a bit for each stop."""
    bits = np.zeros((len(trips), (stops + WORD - 1) // WORD), dtype=np.uint64)
    for row, trip in zip(bits, trips, strict=True):
        for place in trip:
            row[(place - 1) // WORD] |= np.uint64(1 << (place - 1) % WORD)
    return bits


# --- dealt out --------------------------------------------------------------------------------------------


def dealt_out(timetable: Timetable, trips: list[Trip]) -> Rounds | None:
    """The trips among vehicles all alike, by when they must leave or, if that fails, can be back."""
    begins = timetable.vehicles[0].shift[0]

    def back_s(trip: Trip) -> int:
        return timetable.trip_return_s(0, 1, begins, trip) or 0

    def leave_by_s(trip: Trip) -> int:
        return _leave_by_s(timetable, trip)

    urgent_first = _dealt(timetable, sorted(trips, key=leave_by_s))
    return urgent_first if urgent_first is not None else _dealt(timetable, sorted(trips, key=back_s))


def _leave_by_s(timetable: Timetable, trip: Trip) -> int:
    """The latest moment, seen from the station, at which none of the last windows is missed."""
    seconds = timetable.seconds[0]
    limit_s, there = timetable.vehicles[0].shift[1], STATION
    for place in reversed(trip):
        limit_s -= seconds[place][there] + timetable.service_s[place]
        limit_s, there = min(limit_s, timetable.stops[place - 1].windows[-1][1]), place
    return limit_s - seconds[STATION][there]


def _dealt(timetable: Timetable, trips: list[Trip]) -> Rounds | None:
    """Each trip to the vehicle that is soonest back from it, among equals to the one ready last."""
    begins, ends = timetable.vehicles[0].shift
    rounds: Rounds = [[] for _ in timetable.vehicles]
    ready_s = [begins] * len(rounds)
    for trip in trips:
        backs = []
        for v, most in enumerate(one.max_trips for one in timetable.vehicles):
            back_s = timetable.trip_return_s(v, len(rounds[v]), ready_s[v], trip)
            if back_s is not None and back_s <= ends and len(rounds[v]) < most:
                backs.append((back_s, -ready_s[v], v))
        if not backs:
            return None
        back_s, _, v = min(backs)
        rounds[v].append(trip)
        ready_s[v] = back_s + timetable.problem.reload_s
    return rounds


# --- compiled ---------------------------------------------------------------------------------------------


class Work(NamedTuple):
    """What the compiled part writes to. n: trips met; w: words of a row; d: how deep a search may go."""

    fits: Whole  # [n] trips that could serve some of what is to be divided
    chosen: Whole  # [d] the trips of a cheaper choice
    counts: Whole  # [3] how many of ``fits``, of ``chosen``, of ``best``
    is_given_up: Yes  # [d] of the trips chosen so far
    left: Bits  # [d, w] stops still to be served, at each depth
    spent: Whole  # [d]
    at: Whole  # [d] the next candidate to try, at each depth
    taken: Whole  # [d]
    best: Whole  # [d]


FITS, CHOSEN, BEST = range(3)


def _work(met: int, words: int) -> Work:
    def numbers(many: int) -> Whole:
        return np.zeros(many, dtype=np.int64)

    return Work(
        fits=numbers(met),
        chosen=numbers(DEEPEST + met),
        counts=numbers(3),
        is_given_up=np.zeros(met, dtype=np.bool_),
        left=np.zeros((DEEPEST, words), dtype=np.uint64),
        spent=numbers(DEEPEST),
        at=numbers(DEEPEST),
        taken=numbers(DEEPEST),
        best=numbers(DEEPEST),
    )


@compiled
def exchange(bits: Bits, costs: Whole, chosen: Whole, first: int, work: Work) -> int:
    """The first trip, from ``first`` on, that others can be given up for; the choice is in ``work.chosen``.

    As many as there are trips if there is none.
    """
    for n in range(first, costs.size):
        worth = give_up_for(bits, costs, chosen, n, work)
        if worth > costs[n]:
            find_fitting(bits, work)
            if divide(bits, costs, worth - costs[n], work):
                write_choice(chosen, n, work)
                return n
    return int(costs.size)


@compiled
def give_up_for(bits: Bits, costs: Whole, chosen: Whole, n: int, work: Work) -> int:
    """What the trips cost that share stops with ``n``; 0 where they are too many, or ``n`` is one of them.

    Their other stops are noted as to be divided.
    """
    worth, many, left = 0, 0, work.left[0]
    for w in range(left.size):
        left[w] = NOTHING
    for t in range(chosen.size):
        if chosen[t] == n:
            return 0
        work.is_given_up[t] = False
        for w in range(left.size):
            if bits[chosen[t], w] & bits[n, w]:
                work.is_given_up[t] = True
        if work.is_given_up[t]:
            worth += costs[chosen[t]]
            many += 1
            for w in range(left.size):
                left[w] |= bits[chosen[t], w]
    for w in range(left.size):
        if bits[n, w] & ~left[w]:
            return 0
        left[w] &= ~bits[n, w]
    return worth if many <= MOST_GIVEN_UP else 0


@compiled
def find_fitting(bits: Bits, work: Work) -> None:
    many = 0
    for n in range(bits.shape[0]):
        if is_within(bits[n], work.left[0]):
            work.fits[many] = n
            many += 1
    work.counts[FITS] = many


@compiled
def is_within(some: Bits, all_of: Bits) -> bool:
    beyond = NOTHING
    for w in range(some.size):
        beyond |= some[w] & ~all_of[w]
    return bool(beyond == NOTHING)


@compiled
def divide(bits: Bits, costs: Whole, bound: int, work: Work) -> bool:
    """Is there a way to serve what is left, each stop once, by trips that fit, for less than ``bound``?"""
    left, spent, at = work.left, work.spent, work.at
    spent[0], at[0] = 0, 0
    depth, steps, is_found = 0, 0, False
    while depth >= 0 and steps < MOST_STEPS:
        w = 0
        while w < left.shape[1] and left[depth, w] == NOTHING:
            w += 1
        if w == left.shape[1]:
            if spent[depth] < bound:
                bound, is_found, work.counts[BEST] = spent[depth], True, depth
                for d in range(depth):
                    work.best[d] = work.taken[d]
            depth -= 1
            continue
        lowest = left[depth, w] & (~left[depth, w] + np.uint64(1))
        is_deeper = False
        while at[depth] < work.counts[FITS] and not is_deeper:
            n = work.fits[at[depth]]
            at[depth] += 1
            may = bits[n, w] & lowest and spent[depth] + costs[n] < bound
            is_deeper = bool(may) and depth + 1 < DEEPEST and is_within(bits[n], left[depth])
        if not is_deeper:
            depth -= 1
            continue
        steps += 1
        work.taken[depth] = n
        spent[depth + 1], at[depth + 1] = spent[depth] + costs[n], 0
        for k in range(left.shape[1]):
            left[depth + 1, k] = left[depth, k] & ~bits[n, k]
        depth += 1
    return is_found


@compiled
def write_choice(chosen: Whole, n: int, work: Work) -> None:
    many = 0
    for t in range(chosen.size):
        if not work.is_given_up[t]:
            work.chosen[many] = chosen[t]
            many += 1
    work.chosen[many] = n
    many += 1
    for d in range(work.counts[BEST]):
        work.chosen[many] = work.best[d]
        many += 1
    work.counts[CHOSEN] = many

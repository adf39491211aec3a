"""Ruin and recreate, compiled: slack induction by string removals (Christiaens, Vanden Berghe 2020), made for
vehicles that come home to reload.

A round is a row of places: where the vehicle stands, its stops, 0 for every reload, 0 for its return. Each
turn tears strings of neighbouring stops out of some trips, puts every stop that is in no round back where it
costs least, opening a trip where the present ones are full, and keeps the result as simulated annealing
allows. Stops that cost more than their penalty stay out.

For every place in a round two moments are kept, so that most insertions are judged without driving the round:

    EARLY     service starts (at a stop), or the vehicle may leave (at the station), at the earliest
    LATE      the vehicle must be there at the latest, or something after it fails

Where trips wait for goods (``is_plain`` is false) a stop may put off the whole trip it joins, and a reload
may let the part before it leave sooner: then the trip is driven up to the place, for each candidate that is
not dearer already. Where lateness has a price (``is_priced``) the whole round is.

Chance comes from a small generator of our own (xorshift), so that a seed means the same everywhere.
This module needs numba; ``routing.ruin`` is its only caller and does without it where it is missing.
All is in few arrays with named columns, since every array that is handed on costs time.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Whole: TypeAlias = NDArray[np.int64]
Yes: TypeAlias = NDArray[np.bool_]
F = TypeVar("F", bound=Callable[..., Any])

STATION = 0
NOBODY = -1
NEVER = 1 << 60
FORBIDDEN = -1

# Columns of ``stops``, a row for each place. From FIRST_WINDOW on: opens, closes, opens, closes, …
SERVICE, LOAD, BRINGS, PENALTY, OWNER, RELEASE, DUE, LATE_WEIGHT, FIRST_WINDOW = range(9)
# Columns of ``crews``, a row for each vehicle.
PROFILE, BEGINS, ENDS, CAPACITY, ROOM_FIRST, MOST_TRIPS, LOCKED, HOLDS_FIRST, IS_OUT, RELOAD, TWIN = range(11)
# Columns of ``rounds``: what is known of a round as a whole.
LENGTH, TRIPS, COST, WAS_LENGTH, IS_TOUCHED = range(5)
# Columns of ``notes``: what is known of each place in a round. WAS: ``route`` before this turn.
# Of its trip, where goods come late: FROM: the position at which it begins; READY (there): when the vehicle
# could leave if all had come; SOON: what EARLY would be then; GOODS, MORE_GOODS: when those for the stops
# up to it, and after it, have come.
EARLY, LATE, SO_FAR, IN_ALL, WAS, IS_TORN, FROM, READY, SOON, GOODS, MORE_GOODS, LEG = range(12)

AVERAGE_REMOVED = 10.0
LONGEST_STRING = 10.0
BLINK = 0.01  # of the places an insertion could go to are overlooked
KEPT_LONGER = 0.99  # the stretch kept inside a string grows by another stop
MOST_LEFT_TRIED = 24  # of the stops in no round, beside those just torn out


def compiled(function: F) -> F:
    """Compiled at its first call and kept beside this file; where that cannot be written, not kept.

    Nothing here makes an array, so numba need not count who holds one. It has no documented way to be told;
    ``_nrt`` is its own. With the counting a turn takes half as long again and more, and makes the same plan;
    a function that did make an array would not compile. A numba without the flag says so at once.
    """
    uncounted: dict[str, Any] = {"_nrt": False}
    try:
        return cast(F, njit(cache=True, **uncounted)(function))
    except RuntimeError:
        return cast(F, njit(**uncounted)(function))


class Day(NamedTuple):
    """What does not change: a problem in arrays. p: places, v: vehicles."""

    seconds: NDArray[np.int32]  # [profile, p, p] from, to; no way is longer than any day
    toward: NDArray[np.int32]  # [profile, p, p] to, from: the same, in rows
    stops: Whole  # [p, columns]
    crews: Whole  # [v, columns]
    may: Yes  # [v, p]
    near: Whole  # [p, stops] stops by nearness, for each stop
    is_plain: bool  # no goods come late and lateness has no price
    is_priced: bool  # lateness has one


class State(NamedTuple):
    """What changes. k: positions in a round; n: stops waiting."""

    route: Whole  # [v, k]
    notes: Whole  # [v, columns, k]
    rounds: Whole  # [v, columns]
    vehicle: Whole  # [p] who serves it, or NOBODY
    out: Whole  # [n] stops to put back in this turn
    left: Whole  # [n] stops that no round serves
    counts: Whole  # [3] how many of ``out``, of ``left``; insertions until the next one is overlooked
    row: Whole  # [k] a round as it might become
    key: NDArray[np.float64]  # [n] by what ``out`` is sorted
    lots: NDArray[np.uint64]  # [1] the generator


@compiled
def draw(lots: NDArray[np.uint64]) -> float:
    """From 0 up to, but not, 1."""
    x = lots[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    lots[0] = x
    return float(x >> np.uint64(11)) / 9007199254740992.0


@compiled
def draw_below(lots: NDArray[np.uint64], bound: int) -> int:
    return int(draw(lots) * bound)


# --- one round, driven ------------------------------------------------------------------------------------


@compiled
def start_after(stops: Whole, place: int, arrive: int) -> int:
    """When service can start: at once, or when a window opens; NEVER after the last has closed."""
    for w in range(FIRST_WINDOW, stops.shape[1], 2):
        if arrive <= stops[place, w + 1]:
            return int(max(arrive, stops[place, w]))
    return NEVER


@compiled
def start_before(stops: Whole, place: int, moment: int) -> int:
    """The latest start of service not after ``moment``; FORBIDDEN where no window opens by then."""
    for w in range(stops.shape[1] - 2, FIRST_WINDOW - 1, -2):
        if moment >= stops[place, w]:
            return int(min(moment, stops[place, w + 1]))
    return FORBIDDEN


@compiled
def released(stops: Whole, row: Whole, length: int, k: int) -> int:
    """From when the trip that begins at position ``k`` may leave: when all its goods are there."""
    moment = 0
    j = k + 1
    while j < length - 1 and row[j] != STATION:
        moment = max(moment, stops[row[j], RELEASE])
        j += 1
    return moment


@compiled
def drive(seconds: NDArray[np.int32], stops: Whole, crew: Whole, row: Whole, length: int) -> int:
    """What the round costs, travel and lateness; FORBIDDEN if a window or the shift is missed."""
    here = row[0]
    now = max(crew[BEGINS], released(stops, row, length, 0))
    cost = 0
    for k in range(1, length):
        place = row[k]
        leg = seconds[here, place]
        cost += leg
        now += leg
        if place != STATION:
            now = start_after(stops, place, now)
            if now == NEVER:
                return FORBIDDEN
            if now > stops[place, DUE]:
                cost += stops[place, LATE_WEIGHT] * (now - stops[place, DUE])
            now += stops[place, SERVICE]
        elif k < length - 1:
            now = max(now + crew[RELOAD], released(stops, row, length, k))
        here = place
    return FORBIDDEN if now > crew[ENDS] else cost


@compiled
def note_times(day: Day, state: State, v: int) -> bool:
    """Fill in the notes of a round, its cost and trips; False if it cannot be driven."""
    stops, crew, row, notes = day.stops, day.crews[v], state.route[v], state.notes[v]
    seconds = day.seconds[crew[PROFILE]]
    last = state.rounds[v, LENGTH] - 1
    now = crew[BEGINS]
    notes[READY, 0], notes[SOON, 0], notes[SO_FAR, 0] = now, now, 0
    soon = now
    if not day.is_plain:
        note_goods(stops, row, notes, last)
        now = max(now, notes[MORE_GOODS, 0])
    notes[EARLY, 0] = now
    load, trips, cost = 0, 1, 0
    here = row[0]
    for k in range(1, last + 1):
        place = row[k]
        leg = seconds[here, place]
        notes[LEG, k - 1] = leg
        cost += leg
        now += leg
        if place != STATION:
            now = start_after(stops, place, now)
            if now == NEVER:
                return False
            if now > stops[place, DUE]:
                cost += stops[place, LATE_WEIGHT] * (now - stops[place, DUE])
            soon = now if day.is_plain else start_after(stops, place, soon + leg)
            notes[EARLY, k], notes[SOON, k] = now, soon
            now += stops[place, SERVICE]
            soon += stops[place, SERVICE]
            load += stops[place, LOAD]
        else:
            if k < last:
                trips += 1
                now += crew[RELOAD]
                notes[READY, k], notes[SOON, k] = now, now
                soon = now
                if not day.is_plain:
                    now = max(now, notes[MORE_GOODS, k])
            notes[EARLY, k] = now
            load = 0
        notes[SO_FAR, k] = load
        here = place
    if now > crew[ENDS]:
        return False
    state.rounds[v, TRIPS], state.rounds[v, COST] = trips, cost
    note_limits(seconds, stops, crew, row, notes, last)
    return True


@compiled
def note_goods(stops: Whole, row: Whole, notes: Whole, last: int) -> None:
    """Where each trip begins, and how long those of it wait for goods that come before and after each leg."""
    goods = 0
    for k in range(last - 1, -1, -1):
        goods = 0 if row[k + 1] == STATION else max(goods, stops[row[k + 1], RELEASE])
        notes[MORE_GOODS, k] = goods
    begin = 0
    for k in range(last):
        if k == 0 or row[k] == STATION:
            begin, goods = k, 0
        else:
            goods = max(goods, stops[row[k], RELEASE])
        notes[FROM, k], notes[GOODS, k] = begin, goods


@compiled
def note_limits(
    seconds: NDArray[np.int32], stops: Whole, crew: Whole, row: Whole, notes: Whole, last: int
) -> None:
    """The backward half of ``note_times``: latest moments, and the load of the trip each leg belongs to."""
    limit = crew[ENDS]
    notes[LATE, last] = limit
    total = 0
    after = row[last]
    for k in range(last - 1, -1, -1):
        place = row[k]
        limit -= seconds[place, after]
        if after == STATION:
            total = notes[SO_FAR, k]
        if k > 0:
            if place == STATION:
                limit -= crew[RELOAD]
            else:
                limit = start_before(stops, place, limit - stops[place, SERVICE])
        notes[LATE, k], notes[IN_ALL, k] = limit, total
        after = place


# --- ruin -------------------------------------------------------------------------------------------------


@compiled
def remember(state: State, v: int) -> None:
    """Keep a round as it was before this turn."""
    if not state.rounds[v, IS_TOUCHED]:
        state.rounds[v, IS_TOUCHED] = 1
        length = state.rounds[v, LENGTH]
        state.rounds[v, WAS_LENGTH] = length
        for k in range(length):
            state.notes[v, WAS, k] = state.route[v, k]
            state.notes[v, IS_TORN, k] = 0


@compiled
def tear(state: State, v: int, first: int, last: int, middle: int, longest: int) -> None:
    """Take a string of stops around position ``middle`` out, of those at ``first`` to ``last``.

    Every other time a stretch inside the string is kept. Stations inside it are passed over.
    """
    row, notes = state.route[v], state.notes[v]
    size = last - first + 1
    take = 1 + draw_below(state.lots, min(size, longest))
    keep = 0
    if take < size and draw(state.lots) < 0.5:
        keep = 1
        while take + keep < size and draw(state.lots) < KEPT_LONGER:
            keep += 1
    span = take + keep
    least, most = max(first, middle - span + 1), min(middle, last + 1 - span)
    begin = least + draw_below(state.lots, most - least + 1)
    kept_from = begin + draw_below(state.lots, take + 1)
    for k in range(first, begin):
        notes[IS_TORN, k] = 1
    write = begin
    for k in range(begin, state.rounds[v, LENGTH]):
        place = row[k]
        is_in_string = k < begin + span and not (kept_from <= k < kept_from + keep)
        if is_in_string and place != STATION:
            state.out[state.counts[0]] = place
            state.counts[0] += 1
            state.vehicle[place] = NOBODY
        else:
            row[write] = place
            notes[IS_TORN, write] = 1 if k <= last else notes[IS_TORN, k]
            write += 1
    state.rounds[v, LENGTH] = write


@compiled
def close_up(day: Day, state: State, v: int) -> None:
    """Drop reloads that nothing needs: between trips of which one is empty or that fit into one.

    Where trips wait for goods, two that fit into one may still be better apart: then it is tried.
    """
    stops, crew, row = day.stops, day.crews[v], state.route[v]
    k = 1
    is_first = True
    while k < state.rounds[v, LENGTH] - 1:
        if row[k] != STATION:
            k += 1
            continue
        load, a, b = 0, k - 1, k + 1
        while a > 0 and row[a] != STATION:
            load += stops[row[a], LOAD]
            a -= 1
        while b < state.rounds[v, LENGTH] - 1 and row[b] != STATION:
            load += stops[row[b], LOAD]
            b += 1
        is_held = is_first and crew[HOLDS_FIRST] != 0
        is_empty = b == k + 1 or (a == k - 1 and not is_held)
        is_one = not is_held and load <= (crew[ROOM_FIRST] if is_first else crew[CAPACITY])
        if is_empty or (is_one and (day.is_plain or is_better_joined(day, state, v, k))):
            for j in range(k, state.rounds[v, LENGTH] - 1):
                row[j] = row[j + 1]
            state.rounds[v, LENGTH] -= 1
        else:
            is_first = False
            k += 1


@compiled
def is_better_joined(day: Day, state: State, v: int, k: int) -> bool:
    row, length = state.route[v], state.rounds[v, LENGTH]
    seconds = day.seconds[day.crews[v, PROFILE]]
    for j in range(k):
        state.row[j] = row[j]
    for j in range(k, length - 1):
        state.row[j] = row[j + 1]
    joined = drive(seconds, day.stops, day.crews[v], state.row, length - 1)
    apart = drive(seconds, day.stops, day.crews[v], row, length)
    return joined != FORBIDDEN and (apart == FORBIDDEN or joined <= apart)


@compiled
def put_round_back(state: State, v: int) -> None:
    """Undo what this turn did to ``v``."""
    length = state.rounds[v, WAS_LENGTH]
    state.rounds[v, LENGTH] = length
    for k in range(length):
        place = state.notes[v, WAS, k]
        state.route[v, k] = place
        if k > 0 and place != STATION:
            state.vehicle[place] = v


@compiled
def keep_round_whole(day: Day, state: State, v: int) -> None:
    """The short cut past a stop may be longer than the way by it, or no way at all: then nothing is torn."""
    put_round_back(state, v)
    note_times(day, state, v)
    state.rounds[v, IS_TOUCHED] = 0
    write = 0
    for n in range(state.counts[0]):
        if state.vehicle[state.out[n]] == NOBODY:
            state.out[write] = state.out[n]
            write += 1
    state.counts[0] = write


@compiled
def ruin(day: Day, state: State) -> None:
    """Tear strings out near a stop drawn at random: one from a round or, every other time, from a trip."""
    rounds, crews = state.rounds, day.crews
    by_trip = draw(state.lots) < 0.5
    served, parts = 0, 0
    for v in range(rounds.shape[0]):
        free = rounds[v, LENGTH] - 1 - rounds[v, TRIPS] - crews[v, LOCKED]
        if free > 0:
            served += free
            parts += rounds[v, TRIPS] if by_trip else 1
    if parts == 0:
        return
    longest = min(LONGEST_STRING, served / parts)
    strings = 1 + int(draw(state.lots) * (4 * AVERAGE_REMOVED / (1 + longest) - 1))
    near = day.near[1 + draw_below(state.lots, day.near.shape[1])]
    for n in range(near.size):
        v = state.vehicle[near[n]]
        if v == NOBODY or (rounds[v, IS_TOUCHED] and not by_trip):
            continue
        row = state.route[v]
        middle = 1
        while row[middle] != near[n]:
            middle += 1
        if middle <= crews[v, LOCKED] or (rounds[v, IS_TOUCHED] and state.notes[v, IS_TORN, middle]):
            continue
        remember(state, v)
        first, last = middle, middle
        while first > crews[v, LOCKED] + 1 and not (by_trip and row[first - 1] == STATION):
            first -= 1
        while last < rounds[v, LENGTH] - 2 and not (by_trip and row[last + 1] == STATION):
            last += 1
        tear(state, v, first, last, middle, int(longest))
        strings -= 1
        if strings == 0:
            break
    for v in range(rounds.shape[0]):
        if rounds[v, IS_TOUCHED]:
            close_up(day, state, v)
            if not note_times(day, state, v):
                keep_round_whole(day, state, v)


# --- recreate ---------------------------------------------------------------------------------------------


@compiled
def sort_out(day: Day, state: State) -> None:
    """The order in which stops go back: by chance, size, distance, width of window, or closing time."""
    stops, out, keys = day.stops, state.out, state.key
    way = draw(state.lots)
    for n in range(state.counts[0]):
        place = out[n]
        if way < 0.30:
            key = draw(state.lots)
        elif way < 0.50:
            key = -float(stops[place, LOAD])
        elif way < 0.65:
            key = -float(day.seconds[0, STATION, place])
        elif way < 0.75:
            key = float(day.seconds[0, STATION, place])
        elif way < 0.90:
            key = float(stops[place, stops.shape[1] - 1] - stops[place, FIRST_WINDOW])
        else:
            key = float(stops[place, stops.shape[1] - 1])
        m = n
        while m > 0 and keys[m - 1] > key:
            keys[m], out[m] = keys[m - 1], out[m - 1]
            m -= 1
        keys[m], out[m] = key, place


@compiled
def write_row(route: Whole, length: int, row: Whole, k: int, place: int, kind: int) -> int:
    """``route`` with ``place`` after position ``k`` written to ``row`` (which may be it); the new length.

    kind 0: in the trip; 1: and reload after it; 2: reload, then it.
    """
    more = 1 if kind == 0 else 2
    for j in range(length - 1, k, -1):
        row[j + more] = route[j]
    for j in range(k + 1):
        row[j] = route[j]
    if kind == 0:
        row[k + 1] = place
    elif kind == 1:
        row[k + 1], row[k + 2] = place, STATION
    else:
        row[k + 1], row[k + 2] = STATION, place
    return length + more


@compiled
def driven_cost(day: Day, state: State, v: int, k: int, place: int, kind: int) -> int:
    """What the round gets dearer by, driven in full; NEVER if it cannot be driven so."""
    length = write_row(state.route[v], state.rounds[v, LENGTH], state.row, k, place, kind)
    crew = day.crews[v]
    cost = drive(day.seconds[crew[PROFILE]], day.stops, crew, state.row, length)
    return NEVER if cost == FORBIDDEN else cost - state.rounds[v, COST]


@compiled
def done_at(day: Day, state: State, v: int, k: int, leave: int) -> int:
    """When the vehicle is done at position ``k`` if it sets out on that trip at ``leave``, or NEVER."""
    notes, row, stops = state.notes[v], state.route[v], day.stops
    seconds = day.seconds[day.crews[v, PROFILE]]
    begin, now = notes[FROM, k], leave
    if now == notes[EARLY, begin] and k > begin:
        return int(notes[EARLY, k] + stops[row[k], SERVICE])
    for j in range(begin + 1, k + 1):
        now = start_after(stops, row[j], now + seconds[row[j - 1], row[j]])
        if now == NEVER:
            return NEVER
        if now == notes[EARLY, j]:
            return int(notes[EARLY, k] + stops[row[k], SERVICE])
        now += stops[row[j], SERVICE]
    return int(now)


@compiled
def is_in_time(day: Day, state: State, v: int, k: int, place: int, kind: int) -> bool:
    """Where trips wait for goods: can the round be driven with ``place`` after position ``k``?"""
    stops, crew, notes, row = day.stops, day.crews[v], state.notes[v], state.route[v]
    seconds = day.seconds[crew[PROFILE]]
    goods = notes[GOODS, k]
    if kind != 2:
        goods = max(goods, stops[place, RELEASE])
    if kind == 0:
        goods = max(goods, notes[MORE_GOODS, k])
    now = done_at(day, state, v, k, max(notes[READY, notes[FROM, k]], goods))
    if now == NEVER:
        return False
    here = row[k]
    if kind == 2:
        now += seconds[here, STATION] + crew[RELOAD]
        now = max(now, stops[place, RELEASE], notes[MORE_GOODS, k])
        here = STATION
    now = start_after(stops, place, now + seconds[here, place])
    if now == NEVER:
        return False
    now += stops[place, SERVICE]
    here = place
    if kind == 1:
        now = max(now + seconds[here, STATION] + crew[RELOAD], notes[MORE_GOODS, k])
        here = STATION
    return bool(now + seconds[here, row[k + 1]] <= notes[LATE, k + 1])


@compiled
def dearer_by(day: Day, state: State, v: int, k: int, place: int, kind: int, added: int) -> int:
    """Where days are not plain: ``added`` if the round holds so, more if lateness has a price, or NEVER."""
    if day.is_priced:
        return int(driven_cost(day, state, v, k, place, kind))
    return added if is_in_time(day, state, v, k, place, kind) else NEVER


@compiled
def put_back(day: Day, state: State, place: int) -> bool:
    """Insert ``place`` where it costs least, if that is below its penalty.

    Between ``here`` and ``there``, which stand at k and k + 1, it goes into the trip if that holds it (0), or
    a reload parts the trip after it (1) or before it (2). In plain days parting never pays where it fits.
    Where goods come late, what would be late even if no trip waited for them is not looked at further.
    """
    stops, crews, rounds, is_plain = day.stops, day.crews, state.rounds, day.is_plain
    load, service, owner = stops[place, LOAD], stops[place, SERVICE], stops[place, OWNER]
    closes, release = stops[place, stops.shape[1] - 1], stops[place, RELEASE]
    earliest = stops[place, FIRST_WINDOW] + service
    best, best_v, best_k, best_kind = stops[place, PENALTY], NOBODY, 0, 0
    for v in range(rounds.shape[0]):
        if not day.may[v, place]:
            continue
        length, twin = rounds[v, LENGTH], crews[v, TWIN]
        if length == 2 and twin != NOBODY and rounds[twin, LENGTH] == 2:
            continue
        profile, row, notes = crews[v, PROFILE], state.route[v], state.notes[v]
        onward, toward = day.seconds[profile, place], day.toward[profile, place]
        from_station, to_station = day.seconds[profile, STATION], day.toward[profile, STATION]
        out_s, home_s = toward[STATION], onward[STATION]
        capacity, reload = crews[v, CAPACITY], crews[v, RELOAD]
        may_reload = rounds[v, TRIPS] < crews[v, MOST_TRIPS]
        is_held, room = crews[v, HOLDS_FIRST] != 0, crews[v, ROOM_FIRST] - load
        there = row[0]
        for k in range(length - 1):
            here, there = there, row[k + 1]
            if k > 0 and here == STATION:
                is_held, room = False, capacity - load
                if owner == v:
                    break
            if k < crews[v, LOCKED] or notes[LATE, k + 1] < earliest:
                continue
            soon = notes[SOON, k]
            if soon > closes:
                break
            way, leg = toward[here], notes[LEG, k]
            straight = way + onward[there] - leg
            after = way + home_s + from_station[there] - leg
            before = to_station[here] + out_s + onward[there] - leg
            if straight >= best and (not may_reload or (after >= best and before >= best)):
                continue
            state.counts[2] -= 1
            if state.counts[2] < 0:
                state.counts[2] = int(math.log(1.0 - draw(state.lots)) / math.log(1.0 - BLINK))
                continue
            joins, splits = True, may_reload
            if is_held:
                joins = owner == v or not (crews[v, IS_OUT] != 0 and stops[place, BRINGS] != 0)
                splits = may_reload and there == STATION and owner == NOBODY
            joins = joins and notes[IN_ALL, k] <= room
            leave = notes[EARLY, k]
            if k > 0:
                leave += stops[here, SERVICE]
                soon += stops[here, SERVICE]
            if joins and straight < best:
                start = start_after(stops, place, leave + way)
                if start + service + onward[there] <= notes[LATE, k + 1]:
                    if not is_plain:
                        straight = dearer_by(day, state, v, k, place, 0, straight)
                    if straight < best:
                        best, best_v, best_k, best_kind = straight, v, k, 0
            if not splits or (is_plain and joins):
                continue
            if there != STATION and not is_held and after < best and notes[SO_FAR, k] <= room:
                leave = start_after(stops, place, soon + way) + service + home_s + reload
                if max(leave, notes[MORE_GOODS, k]) + from_station[there] <= notes[LATE, k + 1]:
                    if not is_plain:
                        after = dearer_by(day, state, v, k, place, 1, after)
                    if after < best:
                        best, best_v, best_k, best_kind = after, v, k, 1
            rest = notes[IN_ALL, k] - notes[SO_FAR, k]
            if (here != STATION or is_held) and before < best and rest + load <= capacity:
                leave = max(soon + to_station[here] + reload, release, notes[MORE_GOODS, k])
                start = start_after(stops, place, leave + out_s)
                if start + service + onward[there] <= notes[LATE, k + 1]:
                    if not is_plain:
                        before = dearer_by(day, state, v, k, place, 2, before)
                    if before < best:
                        best, best_v, best_k, best_kind = before, v, k, 2
    if best_v == NOBODY:
        return False
    remember(state, best_v)
    row = state.route[best_v]
    rounds[best_v, LENGTH] = write_row(row, rounds[best_v, LENGTH], row, best_k, place, best_kind)
    state.vehicle[place] = best_v
    note_times(day, state, best_v)
    return True


# --- turns ------------------------------------------------------------------------------------------------


@compiled
def add_left(state: State) -> None:
    """Beside the stops just torn out try those that no round serves; of many only some, drawn at random."""
    left, many = state.left, state.counts[1]
    for n in range(min(many, MOST_LEFT_TRIED)):
        if many > MOST_LEFT_TRIED:
            other = n + draw_below(state.lots, many - n)
            left[n], left[other] = left[other], left[n]
        state.out[state.counts[0]] = left[n]
        state.counts[0] += 1


@compiled
def note_left(day: Day, state: State) -> None:
    state.counts[1] = 0
    for place in range(1, day.near.shape[1] + 1):
        if state.vehicle[place] == NOBODY and day.stops[place, PENALTY] > 0:
            state.left[state.counts[1]] = place
            state.counts[1] += 1


@compiled
def total_cost(day: Day, state: State) -> int:
    cost = 0
    for v in range(state.rounds.shape[0]):
        cost += state.rounds[v, COST]
    for place in range(1, day.near.shape[1] + 1):
        if state.vehicle[place] == NOBODY:
            cost += day.stops[place, PENALTY]
    return cost


@compiled
def take_back(day: Day, state: State) -> None:
    """Undo this turn."""
    for n in range(state.counts[0]):
        state.vehicle[state.out[n]] = NOBODY
    for v in range(state.rounds.shape[0]):
        if state.rounds[v, IS_TOUCHED]:
            put_round_back(state, v)
            note_times(day, state, v)


@compiled
def turns(
    day: Day,
    state: State,
    best_route: Whole,
    best_length: Whole,
    costs: Whole,
    first: int,
    last: int,
    hot: float,
    cooling: float,
) -> None:
    """Turns ``first`` up to ``last``; at turn n the temperature is hot × exp(cooling × n).

    ``costs``: what the rounds cost now, and the least so far, whose rounds stand in ``best_…``.
    """
    rounds = state.rounds
    for turn in range(first, last):
        state.counts[0] = 0
        rounds[:, IS_TOUCHED] = 0
        ruin(day, state)
        add_left(state)
        sort_out(day, state)
        for n in range(state.counts[0]):
            put_back(day, state, state.out[n])
        cost = total_cost(day, state)
        if cost >= costs[0] - hot * math.exp(cooling * turn) * math.log(1.0 - draw(state.lots)):
            take_back(day, state)
            continue
        costs[0] = cost
        note_left(day, state)
        if cost < costs[1]:
            costs[1] = cost
            for v in range(rounds.shape[0]):
                best_length[v] = rounds[v, LENGTH]
                for k in range(best_length[v]):
                    best_route[v, k] = state.route[v, k]

"""The bottles of the sample: about a thousand of the two firms of Changning, and a few score in Qingpu.

Most are sound on the demo's day, 2024-06-12, for which the months below are chosen. A dozen have each fault
that the refill gate knows, and no bottle has two. Every user of the sample holds as many bottles as cards;
the rest stand at the sites, full at supply points and empty at filling stations, where the faulty ones wait
to be found out. Pure functions of a seed.

Tares are in the order of the real ones; the models' figures are those of the trade.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from itertools import count
from random import Random
from typing import Any

from cylinders.models import HoldKind, Phase
from sample.firms import FILLING_SITE, FIRMS, OUTSIDE_FIRM, SUPPLY_SITE
from sample.places import CHANGNING, QINGPU, SEED, SamplePremises, premises

# --------------------------------------------------------------------------------------------------------
# Models


@dataclass(frozen=True, slots=True)
class SampleModel:
    """A type of bottle. ``nominal_g`` is the size it is called by ("15 kg"), ``units`` the room it takes."""

    model: str
    water_ml: int
    max_fill_g: int
    nominal_g: int
    tare_g: int
    units: int
    needs_truck: bool = False
    phase: Phase = Phase.VAPOUR


MODELS = (
    SampleModel("YSP4.7", 4_700, 1_900, 2_000, 3_400, 1),
    SampleModel("YSP12", 12_000, 5_000, 5_000, 7_000, 1),
    SampleModel("YSP35.5", 35_500, 14_900, 15_000, 16_500, 1),
    SampleModel("YSP118", 118_000, 49_500, 50_000, 47_000, 4, needs_truck=True),
    SampleModel("YSP118-II", 118_000, 49_500, 50_000, 47_500, 4, needs_truck=True, phase=Phase.TWO_PHASE),
)
_MODEL = {model.model: model for model in MODELS}


# --------------------------------------------------------------------------------------------------------
# Faults


class CylinderFault(StrEnum):
    """The one thing that is wrong with a bottle; ``rules`` are those of the refill gate that say so."""

    UNKNOWN_LABEL = "unknown_label"
    NOT_REGISTERED = "not_registered"
    FOREIGN_OWNER = "foreign_owner"
    OVERDUE = "overdue"
    NEVER_INSPECTED = "never_inspected"
    NO_DATES = "no_dates"
    FAILED_INSPECTION = "failed_inspection"
    PAST_DESIGN_LIFE = "past_design_life"
    EXTENSION_NOT_REGISTERED = "extension_not_registered"
    SCRAPPED = "scrapped"
    SCRAP_ORDERED = "scrap_ordered"
    REFURBISHED = "refurbished"
    TWO_PHASE = "two_phase"
    NOT_EMBOSSED = "not_embossed"
    ALREADY_FULL = "already_full"
    ON_HOLD = "on_hold"

    @property
    def rules(self) -> tuple[str, ...]:
        """Of an unknown label, whatever else a file would have said is unknown too."""
        return _RULES_BROKEN[self]


_RULES_BROKEN: Mapping[CylinderFault, tuple[str, ...]] = {
    CylinderFault.UNKNOWN_LABEL: ("F01",),
    CylinderFault.NOT_REGISTERED: ("F02",),
    CylinderFault.FOREIGN_OWNER: ("F03",),
    CylinderFault.OVERDUE: ("F04",),
    CylinderFault.NEVER_INSPECTED: ("F04",),
    CylinderFault.NO_DATES: ("F04", "F06"),
    CylinderFault.FAILED_INSPECTION: ("F05",),
    CylinderFault.PAST_DESIGN_LIFE: ("F06",),
    CylinderFault.EXTENSION_NOT_REGISTERED: ("F06",),
    CylinderFault.SCRAPPED: ("F01", "F07"),
    CylinderFault.SCRAP_ORDERED: ("F07",),
    CylinderFault.REFURBISHED: ("F08",),
    CylinderFault.TWO_PHASE: ("F09",),
    CylinderFault.NOT_EMBOSSED: ("F10",),
    CylinderFault.ALREADY_FULL: ("F15",),
    CylinderFault.ON_HOLD: ("F16",),
}


# --------------------------------------------------------------------------------------------------------
# Bottles


@dataclass(frozen=True, slots=True)
class SampleCylinder:
    """What is stamped on a bottle and filed about it. Months are their first day; None is not known.

    ``number`` is unique over the sample. ``use_registration_code`` is the 气瓶使用登记代码. ``inspected_on``
    is the last inspection, passed or not. ``on_file`` is false where nobody has entered the bottle: its
    label is to be scanned, its row not to be loaded. The bottle is with the user ``held_by`` (a premises
    number) or at the site ``at_site``.
    """

    number: int
    use_registration_code: str
    maker: str
    serial: str
    model: str
    water_ml: int
    max_fill_g: int
    nominal_g: int
    tare_g: int | None
    phase: Phase | None
    made_on: date | None
    standard: str | None
    design_life_months: int | None
    inspected_on: date | None
    inspection_passed: bool | None
    owner_firm: str
    registered: bool
    embossed_owner_mark: bool | None
    bought_on: date | None
    refurbished: bool | None
    is_full: bool
    extended_until: date | None = None
    extension_assessed: bool = False
    extension_registered: bool = False
    scrapped: bool = False
    scrap_ordered: bool = False
    hold: HoldKind | None = None
    on_file: bool = True
    held_by: int | None = None
    at_site: str | None = None
    fault: CylinderFault | None = None


CHANGNING_CYLINDERS = 1000
OF_EACH_FAULT = 12
_HELD_OF_FAULT = {CylinderFault.OVERDUE: 4, CylinderFault.TWO_PHASE: 4}
_QINGPU_STOCK = 30
_FULL_SHARE_OF_STOCK = 0.45
_STOCK_MODELS = (("YSP35.5", "YSP12", "YSP118", "YSP4.7"), (78, 12, 6, 4))
_UNIT_CODE = {"changning_west": "YLA", "changning_east": "YLB", "qingpu": "YLC", "outside": "YLZ"}


def cylinders(seed: int = SEED) -> tuple[SampleCylinder, ...]:
    """Every bottle of the sample, by ``number``: a thousand of Changning's firms, then Qingpu's."""
    random = Random(f"cylinders {seed}")
    numbers = count(1)
    changning = [*_held(random, numbers, premises(CHANGNING, seed)), *_faulty_at_stations(random, numbers)]
    stock = CHANGNING_CYLINDERS - len(changning)
    changning += [_in_stock(random, next(numbers), _by_turns(i)) for i in range(stock)]
    qingpu = [*_held(random, numbers, premises(QINGPU, seed))]
    qingpu += [_in_stock(random, next(numbers), "qingpu") for _ in range(_QINGPU_STOCK)]
    return (*changning, *qingpu)


def _held(
    random: Random, numbers: Iterator[int], users: tuple[SamplePremises, ...]
) -> Iterator[SampleCylinder]:
    """A bottle for each card. A few that users hold have fallen due, or should never have been made."""
    still_faulty = dict(_HELD_OF_FAULT) if users[0].district == CHANGNING else {}
    for user in users:
        for _ in range(user.cards):
            bottle = _sound(random, next(numbers), user.cylinder_model, user.firm)
            held = replace(bottle, held_by=user.number, is_full=False)
            is_large = user.cylinder_model == "YSP118"
            fault = CylinderFault.TWO_PHASE if is_large else CylinderFault.OVERDUE
            if still_faulty.get(fault) and not user.fault and user.number % 5 == 0:
                still_faulty[fault] -= 1
                held = _spoilt(random, held, fault)
            yield held


def _faulty_at_stations(random: Random, numbers: Iterator[int]) -> Iterator[SampleCylinder]:
    """The empties that a station has to find out, by turns at either firm."""
    for fault in CylinderFault:
        for i in range(OF_EACH_FAULT - _HELD_OF_FAULT.get(fault, 0)):
            firm = _by_turns(i)
            bottle = _sound(random, next(numbers), "YSP35.5", firm)
            yield _spoilt(random, replace(bottle, at_site=FILLING_SITE[firm], is_full=False), fault)


def _by_turns(i: int) -> str:
    firms = [firm.key for firm in FIRMS if firm.home_district == CHANGNING]
    return firms[i % len(firms)]


def _in_stock(random: Random, number: int, firm: str) -> SampleCylinder:
    models, weights = _STOCK_MODELS
    bottle = _sound(random, number, random.choices(models, weights)[0], firm)
    is_full = random.random() < _FULL_SHARE_OF_STOCK
    return replace(bottle, is_full=is_full, at_site=(SUPPLY_SITE if is_full else FILLING_SITE)[firm])


def _sound(random: Random, number: int, model: str, firm: str) -> SampleCylinder:
    """A bottle that may be filled on the demo's day: inspected, young, or with its life extended."""
    kind = _MODEL[model]
    life = random.choices((_inspected, _not_yet_due, _extended, _new_standard), (62, 20, 8, 10))[0]
    plain = SampleCylinder(
        number=number,
        use_registration_code=f"31{_UNIT_CODE[firm]}{number:06}",
        maker="样例钢瓶厂",
        serial=f"YL{number:07}",
        model=model,
        water_ml=kind.water_ml,
        max_fill_g=kind.max_fill_g,
        nominal_g=kind.nominal_g,
        tare_g=kind.tare_g + 50 * random.randint(-6, 6),
        phase=kind.phase,
        made_on=None,
        standard="GB 5842-2006",
        design_life_months=96,
        inspected_on=None,
        inspection_passed=None,
        owner_firm=firm,
        registered=True,
        embossed_owner_mark=None,
        bought_on=None,
        refurbished=False,
        is_full=False,
    )
    return _bought(random, life(random, plain))


def _inspected(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    """In its second term: made 4 to 8 years ago, passed its inspection in time."""
    made_on = _month(random, "2016-07", "2020-04")
    return replace(
        bottle,
        made_on=made_on,
        inspected_on=_later(made_on, random.randint(47, 48)),
        inspection_passed=True,
    )


def _not_yet_due(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    """In its first term, which counts from manufacture."""
    return replace(bottle, made_on=_month(random, "2020-07", "2023-06"))


def _extended(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    """Past its design life, assessed and registered anew for four years more."""
    made_on = _month(random, "2013-06", "2016-02")
    return replace(
        bottle,
        made_on=made_on,
        inspected_on=_later(made_on, 96),
        inspection_passed=True,
        extended_until=_later(made_on, 144),
        extension_assessed=True,
        extension_registered=True,
    )


def _new_standard(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    made_on = _month(random, "2023-12", "2024-03")
    return replace(bottle, made_on=made_on, standard="GB 5842-2023", design_life_months=144)


def _bought(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    """Bought a month or two after it was made; the firm's mark on the head came with the notice of 2021."""
    if bottle.made_on is None:
        return bottle
    bought_on = _later(bottle.made_on, random.randint(1, 2)).replace(day=random.randint(1, 28))
    return replace(bottle, bought_on=bought_on, embossed_owner_mark=bought_on >= date(2021, 6, 1))


def _spoilt(random: Random, bottle: SampleCylinder, fault: CylinderFault) -> SampleCylinder:
    return replace(_SPOILERS[fault](random, bottle), fault=fault)


def _changed(_: Random, bottle: SampleCylinder, **changes: Any) -> SampleCylinder:
    return replace(bottle, **changes)


def _remade(random: Random, bottle: SampleCylinder, first: str, last: str, **changes: Any) -> SampleCylinder:
    """The bottle as if made between two months to GB 5842-2006, with a file that begins anew."""
    fresh = replace(
        bottle,
        made_on=_month(random, first, last),
        standard="GB 5842-2006",
        design_life_months=96,
        inspected_on=None,
        inspection_passed=None,
        extended_until=None,
        extension_assessed=False,
        extension_registered=False,
    )
    return _bought(random, replace(fresh, **changes))


def _overdue(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    """Passed, but more than four years ago; its design life still runs."""
    return _remade(
        random,
        bottle,
        "2016-07",
        "2017-06",
        inspected_on=_month(random, "2019-09", "2020-04"),
        inspection_passed=True,
    )


def _past_design_life(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    return _remade(
        random,
        bottle,
        "2014-06",
        "2016-04",
        inspected_on=_month(random, "2021-06", "2023-12"),
        inspection_passed=True,
    )


def _extension_not_registered(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    old = _past_design_life(random, bottle)
    assert old.made_on is not None
    return replace(old, extended_until=_later(old.made_on, 144), extension_assessed=True)


def _without_dates(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    return replace(_remade(random, bottle, "2016-07", "2017-06"), made_on=None)


def _not_embossed(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    return replace(_remade(random, bottle, "2021-07", "2022-12"), embossed_owner_mark=False)


def _foreign(_: Random, bottle: SampleCylinder) -> SampleCylinder:
    code = f"31{_UNIT_CODE[OUTSIDE_FIRM.key]}{bottle.number:06}"
    return replace(bottle, owner_firm=OUTSIDE_FIRM.key, use_registration_code=code)


def _two_phase(_: Random, bottle: SampleCylinder) -> SampleCylinder:
    kind = _MODEL["YSP118-II"]
    return replace(
        bottle,
        model=kind.model,
        water_ml=kind.water_ml,
        max_fill_g=kind.max_fill_g,
        nominal_g=kind.nominal_g,
        tare_g=kind.tare_g,
        phase=kind.phase,
    )


def _on_hold(random: Random, bottle: SampleCylinder) -> SampleCylinder:
    return replace(bottle, hold=random.choice((HoldKind.RECALL, HoldKind.POLICE, HoldKind.HAZARD)))


_SPOILERS: Mapping[CylinderFault, Callable[[Random, SampleCylinder], SampleCylinder]] = {
    CylinderFault.UNKNOWN_LABEL: partial(_changed, on_file=False),
    CylinderFault.NOT_REGISTERED: partial(_changed, registered=False),
    CylinderFault.FOREIGN_OWNER: _foreign,
    CylinderFault.OVERDUE: _overdue,
    CylinderFault.NEVER_INSPECTED: partial(_remade, first="2017-01", last="2019-12"),
    CylinderFault.NO_DATES: _without_dates,
    CylinderFault.FAILED_INSPECTION: partial(
        _remade,
        first="2020-07",
        last="2022-06",
        inspected_on=date(2024, 3, 1),
        inspection_passed=False,
    ),
    CylinderFault.PAST_DESIGN_LIFE: _past_design_life,
    CylinderFault.EXTENSION_NOT_REGISTERED: _extension_not_registered,
    CylinderFault.SCRAPPED: partial(_changed, scrapped=True),
    CylinderFault.SCRAP_ORDERED: partial(_changed, scrap_ordered=True),
    CylinderFault.REFURBISHED: partial(_changed, refurbished=True),
    CylinderFault.TWO_PHASE: _two_phase,
    CylinderFault.NOT_EMBOSSED: _not_embossed,
    CylinderFault.ALREADY_FULL: partial(_changed, is_full=True),
    CylinderFault.ON_HOLD: _on_hold,
}


# --------------------------------------------------------------------------------------------------------
# Months


def _month_of(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _month(random: Random, first: str, last: str) -> date:
    """A month between the two, both included, as its first day."""
    start, end = _month_of(first), _month_of(last)
    months = (end.year - start.year) * 12 + end.month - start.month
    return _later(start, random.randint(0, months))


def _later(month: date, months: int) -> date:
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)

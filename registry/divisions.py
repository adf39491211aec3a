"""地址层级: the divisions that addresses are made of: entered with their days, ended, asked of an address.

    street 街镇 → committee 村居 → estate 小区、自然村 → building 楼       a home (户) is a premises within

Real codes where a division has one, local ones where it has none (a park, an estate, a building). Divisions
are founded, merged and renumbered: a code holds from a day to a day, and what was registered under it keeps
it. A level of which a district keeps no list is asked nothing but that its digits nest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.ids import new_id
from core.paging import Page, Pager
from core.problems import FieldFault, NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import division_refusals as no
from registry.division_models import Division, DivisionLevel
from registry.mentions import resting
from registry.models import Premises
from registry.queries import party_within_reach

LEVELS = tuple(DivisionLevel)
ABOVE = dict(zip(LEVELS[1:], LEVELS, strict=False))
"""Level → the level its parent is of; a street's is the district."""


@dataclass(frozen=True, slots=True)
class Within:
    """Where a place lies, by code; None: not said."""

    street_code: str
    committee_code: str
    estate_code: str | None = None
    building_code: str | None = None

    def by_level(self) -> dict[DivisionLevel, str | None]:
        codes = (self.street_code, self.committee_code, self.estate_code, self.building_code)
        return dict(zip(LEVELS, codes, strict=True))


@does("division.enter")
def enter(deed: Deed, *, rows: Sequence[Mapping[str, Any]]) -> Answer:
    """Each row after those it lies in; all are entered, or none."""
    deed.actor.must_reach(district=deed.district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    faults: list[FieldFault] = []
    ids = []
    for number, row in enumerate(rows):
        found = list(_faults_of(deed, number, row))
        faults += found
        if found:
            continue
        division = Division(
            district=deed.district,
            id=new_id(),
            entered_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
            **row,
        )
        deed.db.add(division)
        deed.db.flush()
        ids.append(division.id)
    if faults:
        raise WrongField.all(faults)
    deed.note(entered=[{"level": row["level"], "code": row["code"]} for row in rows])
    return {"division_ids": [str(one) for one in ids]}


@does("division.end")
def end(deed: Deed, division_id: UUID, *, valid_until: date) -> Answer:
    """``valid_until`` is its last day. What lies within it is ended or moved first."""
    deed.actor.must_reach(district=deed.district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    division = deed.db.get(
        Division, (deed.district, division_id), with_for_update=True, populate_existing=True
    )
    if division is None:
        raise NotFound
    deed.note(division_id=division_id, level=division.level, code=division.code, valid_until=valid_until)
    if valid_until < division.valid_from:
        expected = f"expected {division.valid_from} or later"
        raise WrongField("/valid_until", "order", "不能早于启用日", expected)
    reasons = []
    if division.valid_until is not None:
        reasons.append(no.DIVISION_ENDED(valid_until=division.valid_until))
    if parts := _parts_beyond(deed.db, division, valid_until):
        reasons.append(no.DIVISION_HAS_PARTS(parts=parts, valid_until=valid_until))
    if reasons:
        raise Refused([resting(deed, one) for one in reasons])
    division.valid_until = valid_until
    deed.db.flush()
    return {"division_id": str(division_id)}


@does("premises.locate")
def locate(deed: Deed, household_id: UUID, *, estate_code: str | None, building_code: str | None) -> Answer:
    """In which estate and building a home that is registered lies; both are said anew."""
    party = party_within_reach(deed.db, deed.actor, deed.district, household_id)
    premises = deed.db.get_one(
        Premises, (deed.district, party.premises.id), with_for_update=True, populate_existing=True
    )
    deed.about(SubjectType.HOUSEHOLD, household_id)
    within = Within(premises.street_code, premises.committee_code, estate_code, building_code)
    must_lie_within(deed, within, "", levels=LEVELS[2:])
    premises.estate_code, premises.building_code = estate_code, building_code
    deed.note(premises_id=premises.id, estate_code=estate_code)
    deed.db.flush()
    return {"household_id": str(household_id)}


# --- asked of an address ----------------------------------------------------------------------------------


def must_lie_within(
    deed: Deed, within: Within, pointer: str, *, levels: Sequence[DivisionLevel] = LEVELS
) -> None:
    """Each code is in force today, and in the one above, at every level of which the district has a list."""
    today, codes = clock.day_of(deed.recorded_at), within.by_level()
    if within.building_code is not None and within.estate_code is None:
        raise WrongField(
            f"{pointer}/estate_code", "required", "填了楼就要填小区", "expected the estate of the building"
        )
    kept = sa.select(Division.level).where(Division.district == deed.district).distinct()
    listed = set(deed.db.scalars(kept))
    for level in levels:
        code = codes[level]
        if code is None or (level in LEVELS[:2] and level not in listed):
            continue
        standing = in_force(deed.db, deed.district, level, code, today)
        if standing is None:
            raise _unknown(pointer, level)
        above = ABOVE.get(level)
        if above is not None and standing.parent_code != codes[above]:
            raise WrongField(
                f"{pointer}/{level.value}_code",
                "not_here",
                "不在所填的上一级之内",
                "expected one of that division's",
            )


def in_force(db: Session, district: int, level: DivisionLevel, code: str, day: date) -> Division | None:
    return db.scalars(
        sa.select(Division).where(
            Division.district == district, Division.level == level, Division.code == code, _holds_on(day)
        )
    ).one_or_none()


def names_of(db: Session, district: int, codes: Mapping[DivisionLevel, str | None]) -> dict[str, str]:
    """Level → what it is called, the latest name; levels of which the district has no list are left out."""
    wanted = [(level, code) for level, code in codes.items() if code is not None]
    rows = db.execute(
        sa.select(Division.level, Division.name)
        .where(Division.district == district, sa.tuple_(Division.level, Division.code).in_(wanted))
        .order_by(Division.valid_from)
    )
    return {level.value: name for level, name in rows}


def _holds_on(day: date) -> sa.ColumnElement[bool]:
    ends = sa.or_(Division.valid_until.is_(None), Division.valid_until >= day)
    return sa.and_(Division.valid_from <= day, ends)


def _unknown(pointer: str, level: DivisionLevel) -> WrongField:
    return WrongField(
        f"{pointer}/{level.value}_code",
        "unknown",
        "没有这个区划，或今天不在用",
        "expected a division of this district in force today",
    )


def _faults_of(deed: Deed, number: int, row: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Rows before this one are there already."""
    level, code, parent_code = DivisionLevel(row["level"]), row["code"], row["parent_code"]
    above = ABOVE.get(level)
    if above is None:
        if code.isdigit() and not code.startswith(str(deed.district)):
            yield FieldFault(
                f"/rows/{number}/code", "not_here", "街镇代码不属于本区", "expected a street of this district"
            )
        return
    parent = in_force(deed.db, deed.district, above, parent_code, row["valid_from"]) if parent_code else None
    if parent is None:
        yield FieldFault(
            f"/rows/{number}/parent_code",
            "unknown",
            "上一级没有登记，或那天不在用",
            "expected a division of the level above, in force from that day",
        )
    elif level is DivisionLevel.COMMITTEE and not _digits_nest(code, parent_code):
        yield FieldFault(
            f"/rows/{number}/code", "not_here", "村居代码不属于该街镇", "expected a committee of that street"
        )


def _digits_nest(code: str, parent_code: str) -> bool:
    """Real codes do; a local one says nothing."""
    return not (code.isdigit() and parent_code.isdigit()) or code.startswith(parent_code)


def _parts_beyond(db: Session, division: Division, day: date) -> int:
    within = next((level for level, above in ABOVE.items() if above is division.level), None)
    if within is None:
        return 0
    return (
        db.scalar(
            sa.select(sa.func.count()).where(
                Division.district == division.district,
                Division.level == within,
                Division.parent_code == division.code,
                sa.or_(Division.valid_until.is_(None), Division.valid_until > day),
            )
        )
        or 0
    )


# --- reads ------------------------------------------------------------------------------------------------


def divisions(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    level: DivisionLevel | None = None,
    parent_code: str | None = None,
    day: date | None = None,
) -> Page:
    """Those in force on ``day`` (today where none is named)."""
    day = day or clock.today()
    query = sa.select(Division).where(Division.district == doing.district, _holds_on(day))
    if level is not None:
        query = query.where(Division.level == level)
    if parent_code is not None:
        query = query.where(Division.parent_code == parent_code)
    name = f"divisions:{doing.district}:{level}:{parent_code}:{day}"
    pager = Pager(doing.ground.keyring.label.current_key, name)
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            Division.recorded_at.expression,
            Division.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Division.recorded_at, row.Division.id),
        )
        return Page([row.Division for row in page.items], page.next_cursor)


def entered(doing: Doing, ids: Sequence[str]) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        rows = [db.get_one(Division, (doing.district, UUID(one))) for one in ids]
        return {"items": rows}


def located(doing: Doing, household_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        premises = party_within_reach(db, doing.actor, doing.district, household_id).premises
        names = ("street_code", "committee_code", "estate_code", "building_code")
        return {"household_id": household_id} | {name: getattr(premises, name) for name in names}


def division(doing: Doing, division_id: UUID) -> Division:
    with doing.ground.sessions() as db:
        return db.get_one(Division, (doing.district, division_id))


def to_choose(doing: Doing) -> dict[str, list[Division]]:
    """Level → those in force today, by code: for a form's lists. Buildings are too many to be listed."""
    with doing.ground.reads() as db:
        rows = db.scalars(
            sa.select(Division)
            .where(
                Division.district == doing.district,
                Division.level != DivisionLevel.BUILDING,
                _holds_on(clock.today()),
            )
            .order_by(Division.code)
        ).all()
    return {level.value: [one for one in rows if one.level is level] for level in LEVELS}

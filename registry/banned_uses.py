"""Verbs: bottled gas seen where it may not be (违规用气): found, notified, cleared by its day or jointly.

The duty is to keep piped estates, high-rises and garages free of bottles. Somebody who sees one reports it;
the street's or district's office gives notice with a day; what is left after it is cleared together with
other departments. Who reported it does not declare it cleared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.doing import Doing
from core.geo import Datum, to_wgs84
from core.ids import new_id
from core.paging import Page, Pager
from core.problems import NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import banned_use_refusals as no
from registry import queries
from registry.mentions import resting, unknown
from registry.premises_models import BannedUse, BannedUseKind
from registry.states import BANNED_USE, BannedUseState
from rulebook import current


class Department(StrEnum):
    """Who comes along to a joint clearing (联合清理)."""

    TOWN = "town"
    HOUSING = "housing"
    FIRE = "fire"
    MARKET = "market"
    POLICE = "police"
    COMMITTEE = "committee"
    PROPERTY_MANAGER = "property_manager"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen and where. ``evidence``: the code of what shows it."""

    kind: BannedUseKind
    point: Mapping[str, Any]
    street_code: str
    committee_code: str
    found_on: date
    evidence: str
    household_id: UUID | None = None


@does("banned_use.report")
def report_use(deed: Deed, *, seen: Seen) -> Answer:
    if seen.found_on > clock.day_of(deed.recorded_at):
        raise WrongField("/found_on", "future", "发现日不能在将来", "expected today or a day before")
    if seen.street_code.isdigit() and not seen.street_code.startswith(str(deed.district)):
        raise WrongField(
            "/street_code",
            "not_here",
            "街镇代码不属于本区",
            "expected a street of the district in the address",
        )
    use_id = new_id()
    deed.about(SubjectType.REGISTER, str(deed.district))
    if seen.household_id is not None:
        if queries.booking_party(deed.db, deed.district, seen.household_id) is None:
            raise unknown("/household_id")
        deed.about(SubjectType.HOUSEHOLD, seen.household_id)
    deed.note(use_id=use_id, kind=seen.kind, street_code=seen.street_code, evidence=seen.evidence)
    at = to_wgs84(seen.point["lon"], seen.point["lat"], Datum(seen.point["datum"]))
    deed.db.add(
        BannedUse(
            district=deed.district,
            id=use_id,
            kind=seen.kind,
            state=BannedUseState.FOUND,
            street_code=seen.street_code,
            committee_code=seen.committee_code,
            lon=at.lon,
            lat=at.lat,
            household_id=seen.household_id,
            found_on=seen.found_on,
            evidence=seen.evidence,
            reported_by=deed.actor.principal_id,
            joint_with=[],
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    return {"use_id": str(use_id)}


@does("banned_use.notify")
def give_notice(deed: Deed, use_id: UUID, *, notice_no: str) -> Answer:
    """In writing, with the last day by which it must be gone; how long is the rulebook's."""
    use = _locked(deed, use_id)
    today = clock.day_of(deed.recorded_at)
    BANNED_USE.move(deed.db, use, "notify")
    days = current().at(str(deed.district), today).integer("B01.days") or 0
    use.notice_no, use.notified_on, use.deadline_on = notice_no, today, today + timedelta(days=days)
    deed.note(notice_no=notice_no, deadline_on=use.deadline_on)
    return {"use_id": str(use_id)}


@does("banned_use.clear_jointly")
def clear_jointly(deed: Deed, use_id: UUID, *, departments: Sequence[Department]) -> Answer:
    """Once the day of the notice is over and the gas is still there, several departments go together."""
    use = _locked(deed, use_id)
    today = clock.day_of(deed.recorded_at)
    deed.note(departments=[one.value for one in departments])
    if use.deadline_on is not None and today <= use.deadline_on:
        raise Refused([resting(deed, no.USE_NOT_OVERDUE(deadline_on=use.deadline_on))])
    BANNED_USE.move(deed.db, use, "clear_jointly")
    use.joint_with = sorted(one.value for one in set(departments))
    return {"use_id": str(use_id)}


@does("banned_use.clear")
def clear(deed: Deed, use_id: UUID, *, evidence: str) -> Answer:
    """Somebody else than who reported it has seen that it is gone."""
    return _finished(deed, use_id, "clear", evidence)


@does("banned_use.dismiss")
def dismiss(deed: Deed, use_id: UUID, *, evidence: str) -> Answer:
    """It was no bottled gas, or gas may be used there."""
    return _finished(deed, use_id, "dismiss", evidence)


def _finished(deed: Deed, use_id: UUID, move: str, evidence: str) -> Answer:
    use = _locked(deed, use_id)
    deed.note(evidence=evidence)
    if use.reported_by == deed.actor.principal_id:
        raise Refused([resting(deed, no.USE_OWN_REPORT())])
    BANNED_USE.move(deed.db, use, move)
    use.closing_evidence, use.closed_on = evidence, clock.day_of(deed.recorded_at)
    return {"use_id": str(use_id)}


def _locked(deed: Deed, use_id: UUID) -> BannedUse:
    """The finding that the address names, in reach of its street's or district's office."""
    use = deed.db.get(BannedUse, (deed.district, use_id), with_for_update=True, populate_existing=True)
    if use is None:
        raise NotFound
    deed.actor.must_reach(district=use.district, street=use.street_code)
    deed.about(SubjectType.REGISTER, str(deed.district))
    if use.household_id is not None:
        deed.about(SubjectType.HOUSEHOLD, use.household_id)
    deed.note(use_id=use_id)
    return use


def use_view(doing: Doing, use_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return _shown(db.get_one(BannedUse, (doing.district, UUID(use_id))))


def uses(doing: Doing, *, state: BannedUseState | None, limit: int, cursor: str | None = None) -> Page:
    """Of the district or the street that the caller looks after, oldest first."""
    query = sa.select(BannedUse).where(BannedUse.district == doing.district)
    if not doing.actor.reach.covers(district=doing.district):
        query = query.where(BannedUse.street_code == doing.actor.reach.code)
    if state is not None:
        query = query.where(BannedUse.state == state)
    pager = Pager(
        doing.ground.keyring.signing.current_key, f"banned_uses:{doing.actor.reach}:{doing.district}:{state}"
    )
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            BannedUse.recorded_at,
            BannedUse.id,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row[0].recorded_at, row[0].id),
        )
        return Page([_shown(row[0]) for row in page.items], page.next_cursor)


def _shown(use: BannedUse) -> dict[str, Any]:
    columns = {column.key: getattr(use, column.key) for column in sa.inspect(BannedUse).column_attrs}
    is_open = use.state in (BannedUseState.TOLD, BannedUseState.JOINT)
    return columns | {
        "point": {"lon": use.lon, "lat": use.lat, "datum": Datum.WGS84.value},
        "is_overdue": is_open and use.deadline_on is not None and use.deadline_on < clock.today(),
    }

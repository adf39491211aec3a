"""The queue of what comes due: inspections and ends of life within the days of notice (F04.notice_days).

    due(doing, …)        a page of the queue, for the firm (its bottles), a site, or the district
    due_within(…)        the same as one statement, for the job that tells holders (``notices.py``)

What falls due is never stored: it follows from the stamp, the records and the rulebook. The refill gate
reckons it for one bottle in Python; here the database reckons it for all of them by the same entries of the
rulebook, and a test holds the two together. A bottle whose file does not tell is not in the queue: the gate
refuses it as unknown.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core import clock
from core.auth import Reach, ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from cylinders.life_models import DueKind, DueNotice, LifeExtension, RegistrationAct
from cylinders.models import Cylinder, CylinderCustody, Inspection
from cylinders.queries import labels_of
from cylinders.refill_gate import LARGE, Precision
from cylinders.states import CylinderState
from registry.models import HolderKind
from registry.queries import cards_of_street
from rulebook import current
from rulebook.edition import Law

INTERVALS = "F04.interval_months."
LONGEST = "F06.max_life_months."
CIRCULATING = (CylinderState.IN_SERVICE, CylinderState.HELD)


@dataclass(frozen=True, slots=True)
class DueBottle:
    """``days`` until it falls due, negative once it has. A household is named by its card only."""

    cylinder_id: UUID
    code: str | None
    model: str
    kind: DueKind
    due_on: date
    days: int
    holder_kind: HolderKind | None
    holder_id: UUID | None
    card_district: int | None
    card_id: UUID | None
    noticed_at: datetime | None


def due(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    kind: DueKind | None = None,
    holder_kind: HolderKind | None = None,
    site_id: UUID | None = None,
    days: int | None = None,
    overdue: bool = False,
) -> Page:
    """Soonest first, from today to the end of the notice; with ``overdue`` what fell due before, too."""
    today = clock.today()
    law = current().at(str(doing.district), today)
    until = today + timedelta(days=days if days is not None else notice_days(law))
    rows = due_within(law, None if overdue else today, until)
    query = sa.select(rows).where(*_in_reach(rows, doing.actor.reach))
    if kind is not None:
        query = query.where(rows.c.kind == kind)
    if holder_kind is not None:
        query = query.where(rows.c.holder_kind == holder_kind)
    if site_id is not None:
        query = query.where(rows.c.holder_kind == HolderKind.SITE, rows.c.holder_id == site_id)
    reach, filtered = doing.actor.reach, f"{kind}:{holder_kind}:{site_id}:{until}:{overdue}"
    binding = f"due:{reach.kind.value}:{reach.code}:{filtered}"
    pager = Pager(doing.ground.keyring.signing.current_key, binding)
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            rows.c.position,
            rows.c.cylinder_id,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.position, row.cylinder_id),
        )
        return Page(_views(db, page.items, today), page.next_cursor)


def notice_days(law: Law) -> int:
    return law.integer("F04.notice_days") or 0


def _in_reach(rows: sa.Subquery, reach: Reach) -> list[sa.ColumnElement[bool]]:
    match reach.kind:
        case ScopeKind.ALL:
            return []
        case ScopeKind.DISTRICT:
            return [rows.c.district == int(reach.code)]
        case ScopeKind.STREET:
            return [rows.c.card_id.in_(cards_of_street(reach.code))]
        case ScopeKind.FIRM:
            firm_id = UUID(reach.code)
            return [sa.or_(rows.c.owner_firm_id == firm_id, rows.c.entrusted_to_firm_id == firm_id)]
        case ScopeKind.SITE:
            return [rows.c.holder_kind == HolderKind.SITE, rows.c.holder_id == UUID(reach.code)]
    raise NotFound


def _views(db: Session, items: Any, today: date) -> list[DueBottle]:
    labels = labels_of(db, [row.cylinder_id for row in items])
    return [
        DueBottle(
            row.cylinder_id,
            labels.get(row.cylinder_id),
            row.model,
            DueKind(row.kind),
            row.due_on,
            (row.due_on - today).days,
            row.holder_kind,
            None if row.holder_kind is HolderKind.HOUSEHOLD else row.holder_id,
            row.district if row.card_id else None,
            row.card_id,
            row.noticed_at,
        )
        for row in items
    ]


# --- reckoned by the database -----------------------------------------------------------------------------


def due_within(law: Law, first: date | None, last: date) -> sa.Subquery:
    """Every bottle in circulation that falls due between these days, once for each kind.

    ``position`` orders them: by day, an inspection before an end of life.
    """
    bottles = _reckoned(law)
    kinds = ((DueKind.INSPECTION, bottles.c.inspection_due_on), (DueKind.LIFE, bottles.c.life_ends_on))
    rows = sa.union_all(
        *(
            sa.select(
                *(column for column in bottles.c if column.name not in ("inspection_due_on", "life_ends_on")),
                sa.literal(kind.value).label("kind"),
                due_on.label("due_on"),
                (
                    sa.cast(due_on, sa.DateTime(timezone=True))
                    + sa.func.make_interval(0, 0, 0, 0, 0, 0, after)
                ).label("position"),
            ).where(due_on <= last, *([due_on >= first] if first is not None else []))
            for after, (kind, due_on) in enumerate(kinds)
        )
    ).subquery()
    noticed = sa.and_(
        DueNotice.cylinder_id == rows.c.cylinder_id,
        DueNotice.kind == rows.c.kind,
        DueNotice.due_on == rows.c.due_on,
        DueNotice.holding_id == rows.c.holding_id,
    )
    return sa.select(rows, DueNotice.noticed_at).select_from(rows.outerjoin(DueNotice, noticed)).subquery()


def _reckoned(law: Law) -> sa.CTE:
    """Each bottle in circulation with the two days; null where its file does not tell."""
    passed = (
        sa.select(Inspection.cylinder_id, Inspection.inspected_on, Inspection.day_precision)
        .ext(distinct_on(Inspection.cylinder_id))
        .where(Inspection.inspected_on <= law.day, Inspection.passed)
        .order_by(Inspection.cylinder_id, Inspection.inspected_on.desc(), Inspection.id.desc())
        .subquery("passed")
    )
    changed = sa.and_(
        RegistrationAct.cylinder_id == LifeExtension.cylinder_id,
        RegistrationAct.extension_id == LifeExtension.id,
        RegistrationAct.done_on <= law.day,
    )
    extended = (
        sa.select(LifeExtension.cylinder_id, sa.func.max(LifeExtension.until_on).label("until_on"))
        .join(RegistrationAct, changed)
        .where(LifeExtension.assessed_on <= law.day)
        .group_by(LifeExtension.cylinder_id)
        .subquery("extended")
    )
    made_on = sa.case((Cylinder.made_on <= law.day, Cylinder.made_on))
    return (
        sa.select(
            Cylinder.cylinder_id,
            Cylinder.model,
            Cylinder.owner_firm_id,
            Cylinder.entrusted_to_firm_id,
            CylinderCustody.holder_kind,
            CylinderCustody.holder_id,
            CylinderCustody.district,
            CylinderCustody.card_id,
            sa.func.coalesce(CylinderCustody.since_fact_id, CylinderCustody.last_fact_id).label("holding_id"),
            _inspection_due(law, made_on, passed.c.inspected_on, passed.c.day_precision).label(
                "inspection_due_on"
            ),
            _life_ends(law, made_on, passed.c.inspected_on, extended.c.until_on).label("life_ends_on"),
        )
        .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
        .outerjoin(passed, passed.c.cylinder_id == Cylinder.cylinder_id)
        .outerjoin(extended, extended.c.cylinder_id == Cylinder.cylinder_id)
        .where(Cylinder.state.in_(CIRCULATING))
        .cte("reckoned")
    )


Days = sa.ColumnElement[Any]


def _inspection_due(law: Law, made_on: Days, inspected_on: Days, precision: Days) -> Days:
    """``refill_gate.next_due_on``, for every bottle at once."""
    counted_from = sa.func.coalesce(inspected_on, made_on)
    counted_by = sa.case((inspected_on.is_not(None), precision), else_=Cylinder.made_precision)
    due_on = _later(counted_from, _interval_months(law, made_on, counted_from))
    if not law.flag("F04.due_month_inclusive"):
        return due_on
    return sa.case((counted_by == Precision.MONTH.value, _month_end(due_on)), else_=due_on)


def _interval_months(law: Law, made_on: Days, counted_from: Days) -> Days:
    age = sa.func.greatest(
        0,
        (sa.extract("year", counted_from) - sa.extract("year", made_on)) * 12
        + sa.extract("month", counted_from)
        - sa.extract("month", made_on),
    )
    return _by_standard(law, INTERVALS, lambda steps: _months_of_steps(law, steps, made_on, age))


def _months_of_steps(law: Law, steps: dict[str, int], made_on: Days, age: Days) -> Days:
    by_age = {int(begins): months for begins, months in steps.items() if begins != LARGE}
    small: Days = sa.case(
        (made_on.is_(None), min(by_age.values())),
        *((age >= begins, by_age[begins]) for begins in sorted(by_age, reverse=True)),
    )
    if LARGE not in steps:
        return small
    begins = law.integer("F04.large_from_g")
    return small if begins is None else sa.case((Cylinder.max_fill_g >= begins, steps[LARGE]), else_=small)


def _life_ends(law: Law, made_on: Days, inspected_on: Days, until_on: Days) -> Days:
    """The stamped design life or its full extension, never past the longest life of the standard."""
    longest = _life_end(made_on, _by_standard(law, LONGEST, sa.literal))
    design = _life_end(made_on, Cylinder.design_life_months.expression)
    taken_over = sa.case(
        (
            sa.and_(
                Cylinder.extension_registered,
                sa.or_(Cylinder.extension_assessed, inspected_on.is_not(None)),
            ),
            Cylinder.extended_until,
        )
    )
    ends_on = sa.func.least(sa.func.greatest(design, sa.func.coalesce(until_on, taken_over)), longest)
    return sa.case((sa.and_(design.is_not(None), longest.is_not(None)), ends_on))


def _life_end(made_on: Days, months: Days) -> Days:
    ends_on = _later(made_on, months)
    return sa.case((Cylinder.made_precision == Precision.MONTH.value, _month_end(ends_on)), else_=ends_on)


def _by_standard(law: Law, prefix: str, months: Any) -> Days:
    """What the rulebook gives for the bottle's standard; null where it gives nothing."""
    rules = (
        law.edition.look(name, law.place, law.day) for name in law.edition.names if name.startswith(prefix)
    )
    known = {rule.name.removeprefix(prefix): rule.value for rule in rules if rule is not None}
    return sa.case(*((Cylinder.standard == standard, months(value)) for standard, value in known.items()))


def _later(day: Days, months: Days) -> Days:
    """The same day months later, or the month's last: as ``refill_gate.months_after``."""
    return sa.cast(day + sa.func.make_interval(0, sa.cast(months, sa.Integer)), sa.Date)


def _month_end(day: Days) -> Days:
    first = sa.func.date_trunc("month", day)
    return sa.cast(first + sa.func.make_interval(0, 1, 0, -1), sa.Date)

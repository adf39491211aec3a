"""What waits: bottles that fall due, are held and why; custody that contradicts itself."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.http import doing
from core.paging import MAX_LIMIT, Page
from cylinders import cancellation_queries, due_queries, office_queries
from cylinders.life_models import DueKind
from cylinders.models import HoldKind
from cylinders.office_queries import ROWS_A_PAGE, Office
from registry.models import HolderKind
from rulebook import current
from rulebook.words import WORDS
from web import trace_words, words
from web.office import said
from web.office.face import drawn, face, kept, number_asked, office, site_asked
from web.office.sheets import Cell, sheet
from web.pages import tried


@face.page("/held", "office.read")
def held() -> ResponseReturnValue:
    kind = _kind_asked()
    leaf = office_queries.held(doing(), kind, number_asked())
    return drawn(
        "held",
        leaf=leaf,
        kind=kind,
        kinds=list(HoldKind),
        contested=office_queries.contested(doing()),
        kept=kept(),
    )


@face.page("/held.csv", "office.read")
def held_sheet() -> Response:
    here, kind = doing(), _kind_asked()
    office()
    heads = (
        "编码 Code", "型号 Model", "在哪里 With", "站点 Site", "为什么 Why", "文号 Reference", "自 Since",
    )  # fmt: skip
    return sheet(f"held-{clock.today()}", heads, _held(office_queries.every_held(here, kind)))


def _held(found: Iterator[office_queries.HeldBottle]) -> Iterator[Sequence[Cell]]:
    for one in found:
        why = [WORDS.get(hold.kind.value, hold.kind.value) for hold in one.holds]
        why += ["检验不合格"] if one.failed else []
        paper = [hold.reference for hold in one.holds]
        paper += [one.failed.report_no] if one.failed else []
        holder = trace_words.HOLDERS[one.holder_kind.value][0] if one.holder_kind else ""
        since = words.at_zh(one.since) if one.since else ""
        yield one.code, one.model, holder, one.site, "；".join(why), "；".join(paper), since


def _kind_asked() -> HoldKind | None:
    asked = request.args.get("kind", "")
    return HoldKind(asked) if asked in {kind.value for kind in HoldKind} else None


# --- what falls due (cylinders/due_queries) -----------------------------------------------------------------


@face.page("/due", "due.read")
def due() -> ResponseReturnValue:
    """Inspections and ends of life within the days of notice, the soonest first, by who has the bottle."""
    chosen = _due_asked()
    page, _ = tried(
        lambda: due_queries.due(doing(), limit=ROWS_A_PAGE, cursor=request.args.get("cursor"), **chosen)
    )
    if page is None:  # a cursor of another list, or of nobody's
        page = due_queries.due(doing(), limit=ROWS_A_PAGE, **chosen)
    return drawn(
        "due",
        page=page,
        chosen=chosen,
        kinds=list(DueKind),
        holders=list(HolderKind),
        kept={name: value for name, value in kept().items() if name != "cursor"},
        notice_days=due_queries.notice_days(current().at(str(doing().district), clock.today())),
    )


@face.page("/due.csv", "due.read")
def due_sheet() -> Response:
    here, chosen = doing(), _due_asked()
    office()
    heads = (
        "编码 Code", "型号 Model", "到期 What falls due", "到期日 Due on", "还有几天 Days", "在哪里 With",
        "站点 Site", "卡 Card", "已提醒 Told at",
    )  # fmt: skip
    return sheet(f"due-{clock.today()}", heads, _due(here, chosen, office()))


def _due(here: Doing, chosen: dict[str, Any], home: Office) -> Iterator[Sequence[Cell]]:
    cursor = None
    while True:
        page = due_queries.due(here, limit=MAX_LIMIT, cursor=cursor, **chosen)
        for one in page.items:
            holder = trace_words.HOLDERS[one.holder_kind.value][0] if one.holder_kind else ""
            card = words.short_id(one.card_id).upper() if one.card_id else ""
            told = words.at_zh(one.noticed_at) if one.noticed_at else ""
            yield (
                one.code, one.model, said.DUE[one.kind.value][0], one.due_on.isoformat(), one.days, holder,
                home.named(one.holder_id), card, told,
            )  # fmt: skip
        cursor = page.next_cursor
        if cursor is None:
            return


def _due_asked() -> dict[str, Any]:
    asked = request.args
    kind, holder = asked.get("kind", ""), asked.get("holder", "")
    return {
        "kind": DueKind(kind) if kind in {one.value for one in DueKind} else None,
        "holder_kind": HolderKind(holder) if holder in {one.value for one in HolderKind} else None,
        "site_id": site_asked(),
        "overdue": asked.get("overdue") == "1",
    }


# --- registrations to be cancelled (cylinders/cancellation_queries) -----------------------------------------


@face.page("/cancellations", "out_of_use.read")
def cancellations() -> ResponseReturnValue:
    """Unfit bottles whose registration stands, what has waited longest first; a site's office has none."""
    if doing().actor.reach.kind is ScopeKind.SITE:
        return _cancellations(Page((), None))
    page, _ = tried(
        lambda: cancellation_queries.cancellations_due(
            doing(), limit=ROWS_A_PAGE, cursor=request.args.get("cursor")
        )
    )
    if page is None:  # a cursor of another list, or of nobody's
        page = cancellation_queries.cancellations_due(doing(), limit=ROWS_A_PAGE)
    return _cancellations(page)


def _cancellations(page: Page) -> ResponseReturnValue:
    return drawn(
        "cancellations",
        page=page,
        within_days=cancellation_queries.within_days(cancellation_queries.law_of(doing())),
        basis=cancellation_queries.basis_of(doing()),
    )

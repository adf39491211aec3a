"""What waits: bottles that are held and why, and custody that contradicts itself."""

from collections.abc import Iterator, Sequence

from flask import Response, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from cylinders import office_queries
from cylinders.models import HoldKind
from rulebook.words import WORDS
from web import trace_words, words
from web.office.face import drawn, face, kept, number_asked, office
from web.office.sheets import Cell, sheet


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

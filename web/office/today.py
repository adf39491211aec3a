"""The day at a glance; what stands at the sites; what was filled and refused on a day."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from cylinders import count_queries, due_queries, office_queries
from cylinders.fillings import SHORT_WEIGHT
from rulebook import current
from web import trace_words, words
from web.office import said
from web.office.face import day_asked, drawn, face, kept, number_asked, office, site_asked
from web.office.sheets import Cell, sheet

FILLED, REFUSED, SEEN = "filled", "refused", "seen"
LISTS = {
    FILLED: office_queries.fillings,
    REFUSED: office_queries.refusals,
    SEEN: office_queries.seen,
}


@face.page("/", "office.read")
def start() -> ResponseReturnValue:
    today, here = clock.today(), doing()
    office()
    return drawn(
        "start",
        today=today,
        stocks=count_queries.stocks(here),
        sums={one.site.id: one for one in office_queries.sums_of_day(here, today)},
        counted={one.site_id: one for one in office_queries.counts_of_day(here, today)},
        held=office_queries.how_many_held(here),
        contested=len(office_queries.contested(here)),
        notice_days=due_queries.notice_days(current().at(str(here.district), today)),
    )


@face.page("/stock", "stock.read")
def stock() -> ResponseReturnValue:
    office()
    return drawn("stock", stocks=count_queries.stocks(doing()))


@face.page("/stock.csv", "stock.read")
def stock_sheet() -> Response:
    stocks = count_queries.stocks(doing())
    rows: Iterator[Sequence[Cell]] = (
        (one["name"], row["model"], row["full"], row["empty"]) for one in stocks for row in one["models"]
    )
    heads = ("站点 Site", "型号 Model", "满瓶 Full", "空瓶 Empty")
    return sheet(f"stock-{clock.today()}", heads, rows)


@face.page("/bottles.csv", "stock.read")
def bottles_sheet() -> Response:
    """Bottle by bottle what the stock counts."""
    here, site_id = doing(), site_asked()
    office()
    rows = (
        (one.site, one.code, one.model, "满 full" if one.full else "空 empty", words.at_zh(one.since))
        for one in office_queries.every_bottle_standing(here, site_id)
    )
    heads = ("站点 Site", "编码 Code", "型号 Model", "满空 Full or empty", "最后一次扫码 Last scan")
    return sheet(f"bottles-{clock.today()}", heads, rows)


@face.page("/day", "stock.read")
def day() -> ResponseReturnValue:
    """What was filled, refused, or seen that should not be there, on a day: filters stand in the address."""
    on, site_id, number, here = day_asked(), site_asked(), number_asked(), doing()
    asked = request.args.get("what", "")
    what = asked if asked in LISTS else FILLED
    listed: Any = LISTS[what]
    leaf = listed(here, on, site_id, number)
    sums = [one for one in office_queries.sums_of_day(here, on) if site_id in (None, one.site.id)]
    return drawn("day", on=on, site_id=site_id, what=what, leaf=leaf, sums=sums, kept=kept())


@face.page("/fillings.csv", "stock.read")
def fillings_sheet() -> Response:
    here, on, site_id = doing(), day_asked(), site_asked()
    office()
    heads = (
        "时间 Time", "站点 Site", "编码 Code", "型号 Model", "皮重(克) Tare g", "残液(克) Residue g",
        "净充(克) Net g", "总重(克) Gross g", "秤号 Scale", "封口号 Seal", "记录号 Record", "分量 Weight",
    )  # fmt: skip
    return sheet(f"fillings-{on}", heads, _fillings(office_queries.every_filling(here, on, site_id)))


def _fillings(found: Iterator[office_queries.FilledBottle]) -> Iterator[Sequence[Cell]]:
    for one in found:
        filling = one.filling
        yield (
            words.at_zh(filling.filled_at), one.site, one.code, one.model, filling.tare_weighed_g,
            filling.residue_g, filling.net_g, filling.gross_g, filling.scale, filling.seal_no,
            str(filling.id), "不足 short" if SHORT_WEIGHT in filling.flags else "",
        )  # fmt: skip


@face.page("/refusals.csv", "stock.read")
def refusals_sheet() -> Response:
    """A line for each reason, so that they can be counted."""
    here, on, site_id = doing(), day_asked(), site_asked()
    office()
    heads = (
        "时间 Time", "站点 Site", "事项 What", "编码 Code", "规则 Rule", "原因 Reason", "怎么办 What to do",
        "拒绝编号 Number",
    )  # fmt: skip
    return sheet(f"refusals-{on}", heads, _refusals(office_queries.every_refusal(here, on, site_id)))


def _refusals(found: Iterator[office_queries.RefusedAt]) -> Iterator[Sequence[Cell]]:
    for one in found:
        for reason in one.no.reasons:
            yield (
                words.at_zh(one.no.recorded_at), one.site, trace_words.verb(one.no.verb)[0], one.no.code,
                reason["rule"], reason["zh"], reason["cure"]["zh"], one.no.refusal_no,
            )  # fmt: skip


@face.page("/sightings.csv", "stock.read")
def sightings_sheet() -> Response:
    here, on, site_id = doing(), day_asked(), site_asked()
    office()
    heads = ("时间 Time", "站点 Site", "什么 What", "编码 Code", "次数 Times", "照片 Photograph")
    return sheet(f"sightings-{on}", heads, _sightings(office_queries.every_sighting(here, on, site_id)))


def _sightings(found: Iterator[office_queries.SeenAt]) -> Iterator[Sequence[Cell]]:
    for one in found:
        seen = one.sighting
        yield (
            words.at_zh(seen.last_seen_at), one.site, said.SIGHTINGS[seen.kind.value][0], seen.code or "",
            seen.times, seen.photo_sha256 or "",
        )  # fmt: skip

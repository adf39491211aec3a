"""盘点: every bottle at a site is scanned, full and empty apart; each difference is explained."""

from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from core.problems import NotFound, WrongField
from cylinders import count_queries, office_queries
from cylinders import counts as counting
from cylinders.schemas import MOST_COUNTED, CountIn, ExplanationIn
from registry.models import Site
from web.office.face import drawn, face, kept, number_asked, office, site_asked
from web.pages import No, form_of, number_said, tried


@face.page("/counts", "stock.read")
def counts() -> ResponseReturnValue:
    site_id, number = site_asked(), number_asked()
    leaf = office_queries.counts(doing(), site_id, number)
    return drawn("counts", leaf=leaf, site_id=site_id, kept=kept())


@face.page("/sites/<uuid:site_id>/counts/new", "stock.count")
def new_count(site_id: UUID) -> ResponseReturnValue:
    return drawn("new_count", site=_site(site_id), scanned={}, most=MOST_COUNTED)


@face.page("/sites/<uuid:site_id>/counts", "stock.count", methods=("POST",))
def count(site_id: UUID) -> ResponseReturnValue:
    site = _site(site_id)
    done, no = tried(lambda: counting.count(doing(), site_id=site.id, **_scanned()))
    if done is not None:
        return redirect(f"/office/sites/{site.id}/counts/{done['count_id']}")
    return drawn("new_count", no, site=site, scanned=request.form, most=MOST_COUNTED)


def _scanned() -> dict[str, Any]:
    """A line a bottle. That there is none at all has to be said: an empty form is a slip."""
    lines = {name: _lines(request.form.get(name, "")) for name in ("full", "empty")}
    if not any(lines.values()) and not request.form.get("none"):
        raise WrongField(
            "/full",
            "empty",
            "一只也没有扫；站里确实没有瓶，请勾选",
            "nothing was scanned; tick it if there is really no bottle here",
        )
    return form_of(CountIn, lines)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@face.page("/sites/<uuid:site_id>/counts/<uuid:count_id>", "stock.read")
def one_count(site_id: UUID, count_id: UUID) -> ResponseReturnValue:
    return _count_page(site_id, count_id)


@face.page("/sites/<uuid:site_id>/counts/<uuid:count_id>/explanations", "stock.explain", methods=("POST",))
def explain(site_id: UUID, count_id: UUID) -> ResponseReturnValue:
    """Why one difference is one; the form of each has fields of its own."""
    number = request.form.get("number", "")
    asked = {
        "number": number_said(number),
        "why": request.form.get(f"why-{number}"),
        "reference": request.form.get(f"reference-{number}", "").strip(),
    }

    def act() -> None:
        counting.explain(doing(), site_id=site_id, count_id=count_id, **form_of(ExplanationIn, asked))

    _, no = tried(act)
    if no is None:
        return redirect(f"/office/sites/{site_id}/counts/{count_id}#difference-{int(number)}")
    return _count_page(site_id, count_id, no, number)


def _count_page(site_id: UUID, count_id: UUID, no: No | None = None, number: str = "") -> ResponseReturnValue:
    site = _site(site_id)
    return drawn(
        "count",
        no,
        site=site,
        count=count_queries.one_count(doing(), site_id, count_id),
        codes=office_queries.codes_of_difference(doing(), count_id),
        tried_on=number,
    )


def _site(site_id: UUID) -> Site:
    found = next((site for site in office().sites if site.id == site_id), None)
    if found is None:
        raise NotFound
    return found

"""The page behind a label's QR code, for anybody: may this bottle be used, who filled it, until when.

Never a household, an address, a courier or a place where it is. No sign-in, no script. A code that is
nobody's and a tag that is wrong are one page, drawn in one way after the same statements. Addresses are taken
in any letter case, since a QR code in capitals is the smallest.
"""

from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core.fields import Form, Word
from core.http import ground
from core.problems import FieldFault, WrongField
from cylinders.code import MOST_SYMBOLS, classify, is_well_formed, label_parts
from cylinders.public_queries import PublicBottle, Seen, districts_served, look
from cylinders.public_reports import PROBLEM_WORDS, PublicProblem, anybody, report_problem
from oversight import probes
from rulebook import current
from web.pages import No, csrf, form_of, number_said, open_form
from web.public_words import STANDING

room = Blueprint("public", __name__)

LONGEST_TAG = 40


class ReportIn(Form):
    problem = Word(PublicProblem, required=True)


# --- typing a code ----------------------------------------------------------------------------------------


@room.get("/C/", strict_slashes=False)
@room.get("/c/", strict_slashes=False)
def entry() -> ResponseReturnValue:
    return render_template("public/entry.html", no=None, typed="")


@room.post("/C/", strict_slashes=False)
@room.post("/c/", strict_slashes=False)
def typed() -> ResponseReturnValue:
    """What was typed or pasted comes in a body: a code read off a bottle, or the whole of a label."""
    csrf.protect()
    said = request.form.get("code", "")[:MOST_SYMBOLS]
    parts = label_parts(said)
    if parts is None:
        wrong = FieldFault(
            "/code",
            "code",
            "不是标签上的12位编码，核对一下有没有看错",
            "not the 12 symbols of a label: check them",
        )
        return render_template("public/entry.html", no=No(422, errors=(wrong,)), typed=said), 422
    code, tag = parts
    return redirect(f"/C/{code}/{tag}" if tag else f"/C/{code}", 303)


# --- one bottle -------------------------------------------------------------------------------------------


@room.get("/C/<code>", strict_slashes=False)
@room.get("/c/<code>", strict_slashes=False)
@room.get("/C/<code>/<tag>", strict_slashes=False)
@room.get("/c/<code>/<tag>", strict_slashes=False)
def bottle(code: str, tag: str | None = None) -> ResponseReturnValue:
    return _page(_looked_at(code, tag))


@room.post("/C/<code>", strict_slashes=False)
@room.post("/c/<code>", strict_slashes=False)
@room.post("/C/<code>/<tag>", strict_slashes=False)
@room.post("/c/<code>/<tag>", strict_slashes=False)
def report(code: str, tag: str | None = None) -> ResponseReturnValue:
    """Something is wrong with it: one word, no name asked for. It goes to the authority of its district."""
    key, fingerprint = open_form()
    seen = _looked_at(code, tag)
    try:
        problem = form_of(ReportIn, {"problem": request.form.get("problem", "")})["problem"]
        district = seen.district or _district_said()
    except WrongField as wrong:
        return _page(seen, No(422, errors=wrong.faults))
    probes.admit_report(ground(), request.remote_addr or "", seen.code)
    doing = anybody(ground(), district, g.request_id, key, fingerprint)
    report_problem(doing, bottle=seen, problem=problem)
    return redirect(f"{request.path}?told=1", 303)


def _looked_at(code: str, tag: str | None) -> PublicBottle:
    """Counted before anything is looked up; what is nobody's is counted once more."""
    asker = request.remote_addr or ""
    probes.admit(ground(), asker)
    given = tag[:LONGEST_TAG] if tag is not None else None
    seen = look(ground(), classify(code[:MOST_SYMBOLS]).code, given)
    if seen.seen is Seen.UNCONFIRMED:
        probes.count_unconfirmed(ground(), asker)
    return seen


def _page(seen: PublicBottle, no: No | None = None) -> ResponseReturnValue:
    page = render_template(
        "public/bottle.html",
        bottle=seen,
        is_code=is_well_formed(seen.code),
        words=STANDING[seen.standing],
        problems=PROBLEM_WORDS,
        districts=[] if seen.district else _districts(),
        told=request.args.get("told") == "1",
        no=no,
    )
    status = no.status if no else 404 if seen.seen is Seen.UNCONFIRMED else 200
    answer = Response(page, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _districts() -> list[tuple[int, str]]:
    with ground().reads() as db:
        served = districts_served(db)
    return [(one, current().places.get(str(one), str(one))) for one in served]


def _district_said() -> int:
    """Of a bottle that nobody knows: where it was seen."""
    known = [one for one, _ in _districts()]
    said: Any = known[0] if len(known) == 1 else number_said(request.form.get("district"))
    if said not in known:
        raise WrongField("/district", "unknown", "请选在哪个区看到的", "choose the district where you saw it")
    return int(said)

"""The filling station's terminal: scan, leave, look, weigh and seal; receive; a batch; the stock; the day.

A filling is begun by its authorisation and goes on step by step (``/authorisations``, ``/checks``,
``/weighings``); a bottle scanned again in the middle goes on where it was.

A form is answered in two ways. Without the script: a page. To the script (web/static/station.js, which asks
for JSON): the same parts of that page, with the form's key as its echo, so that an answer that comes late or
from elsewhere is never taken for this one's. What the script does not understand it shows grey: do not fill.

A scanned text may be somebody's payment code: it is sent in a body, never in an address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from unicodedata import normalize
from uuid import UUID

from flask import g, jsonify, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from core import clock
from core.fields import Form
from core.http import doing, loaded
from core.problems import Busy, FieldFault, NotFound, WrongField
from cylinders import (
    ask_queries,
    count_queries,
    filling_means,
    filling_queries,
    filling_schemas,
    fillings,
    schemas,
    service,
    station_queries,
)
from cylinders.code import classify
from cylinders.filling_queries import AuthorisationView
from cylinders.refill_gate import Purpose
from cylinders.station_queries import Asked, Filled, Station
from rulebook.words import WORDS
from web.pages import Face, No, doing_part, form_of, grams_said, tried

face = Face("station", __name__, prefix="/station")

MOST_IN_A_BATCH = 60
LOOKED = ("tare_weighed_g", "residue_g")
WEIGHTS = (*LOOKED, "gross_g")
FIELDS: dict[str, tuple[str, str]] = {
    "code": ("编码", "code"),
    "codes": ("编码", "codes"),
    "filler_id": ("充装人员", "filler"),
    "scale": ("秤号", "scale"),
    "tare_weighed_g": ("实称皮重", "weighed tare"),
    "residue_g": ("残液", "residue"),
    "gross_g": ("充后总重", "weight when full"),
    "seal_no": ("封口号", "seal"),
    "checks_before": ("充前检查", "checks before"),
    "checks_after": ("充后检查", "checks after"),
    "checks": ("检查", "checks"),
    "token": ("授权", "authorisation"),
}
REMEMBERED = "station"
"""In the browser's cookie: who fills and on which scale, so that it is chosen once a shift."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the screen says of one form, and with what the work goes on.

    ``state`` is the colour: idle, allowed, checking, weighing, refused, filled, received, wrong, mixed.
    ``ask``: the bottle's verdict, if one was asked for; ``leave``: the filling that has begun. ``no``: why
    what was asked for was not done.
    """

    state: str = "idle"
    ask: ask_queries.AskAnswer | None = None
    no: No | None = None
    filled: Filled | None = None
    leave: AuthorisationView | None = None
    received: Mapping[str, Any] | None = None
    table: tuple["Row", ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


# --- one bottle -------------------------------------------------------------------------------------------


@face.page("/", "cylinder.ask")
def desk() -> ResponseReturnValue:
    return _screen("desk", _just_filled() or Said())


@face.page("/verdicts", "cylinder.ask", methods=("POST",))
def ask() -> ResponseReturnValue:
    """May this bottle be filled? Asked as the API asks, so that it stands in the log of asks."""
    station = _station()
    code, no = tried(_code)
    if code is None:
        return _screen("desk", Said("wrong", no=no, status=422))
    [answer] = _asked([code], station)
    form = {"code": code}
    begun = _begun(station, answer.cylinder_id)
    if begun is not None:
        return _screen("desk", _at_step(begun))
    return _screen("desk", Said("allowed" if answer.allowed else "refused", ask=answer, form=form))


def _begun(station: Station, cylinder_id: UUID | None) -> AuthorisationView | None:
    return filling_queries.open_at_site(doing(), station.id, cylinder_id) if cylinder_id else None


@face.page("/authorisations", "cylinder.authorise_fill", methods=("POST",))
def authorise() -> ResponseReturnValue:
    """Leave to fill the bottle that is green. Refused, the form stays if the bottle itself may be filled."""
    station = _station()
    names = ("code", "filler_id", "scale")
    body = {name: request.form.get(name, "").strip() for name in names} | {"site_id": str(station.id)}
    done, no = tried(lambda: fillings.authorise(doing(), **form_of(filling_schemas.AuthorisationIn, body)))
    if done is not None:
        _remember()
        return _screen("desk", _at_step(_leave(done, with_token=True)))
    assert no is not None
    code, _ = tried(_code)
    still = _asked([code], station)[0] if code is not None else None
    state = "refused" if no.reasons else "wrong"
    return _screen("desk", Said(state, ask=still, no=no, form=request.form, status=no.status))


@face.page("/checks", "cylinder.fill", methods=("POST",))
def check() -> ResponseReturnValue:
    """The look, the empty shell and the residue; then gas may flow, or what was found is on the screen."""
    station = _station()
    items = station.items.before
    checks = _checks(request.form, "before", items)
    done, no = tried(
        lambda: fillings.check(doing(), **_step(filling_schemas.LookIn, LOOKED, {"checks": checks}))
    )
    return _screen("desk", _after_step(done, no))


@face.page("/weighings", "cylinder.fill", methods=("POST",))
def weigh() -> ResponseReturnValue:
    """The full bottle, the last look and the seal: two deeds, and the second only if the weight is right."""
    station = _station()
    checks = _checks(request.form, "after", station.items.after)
    done, no = tried(lambda: _weighed(checks))
    if done is not None and "filling_id" in done:
        if not _wants_parts():
            return redirect(f"/station/?filled={done['cylinder_id']}.{done['filling_id']}")
        return _screen("desk", Said("filled", filled=_filled(done["cylinder_id"], done["filling_id"])))
    return _screen("desk", _after_step(done, no))


def _weighed(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """Both forms are read before either deed: no weight is recorded for a form that must come again."""
    last = _step(
        filling_schemas.CompletionIn, (), {"checks": checks, "seal_no": request.form.get("seal_no", "")}
    )
    weighing = _step(filling_schemas.WeighingIn, ("gross_g",), {"scale": request.form.get("scale", "")})
    done = fillings.weigh(doing_part("weigh"), **weighing)
    outcome = _leave(done).weighings[-1]["outcome"]
    is_wrong = outcome in ("over", "nothing") and all(one["passed"] for one in last["checks"])
    return done if is_wrong else fillings.complete(doing_part("complete"), **last)


@face.page("/abortions", "cylinder.fill", methods=("POST",))
def abort() -> ResponseReturnValue:
    """This bottle is left: it is not full."""
    _station()
    done, no = tried(
        lambda: fillings.abort(doing(), **_step(filling_schemas.AbortIn, (), {"reason": "bottle_left"}))
    )
    return _screen("desk", Said() if done is not None else _after_step(done, no))


def _leave(done: Mapping[str, Any], *, with_token: bool = False) -> AuthorisationView:
    return filling_queries.authorisation(doing(), UUID(done["authorisation_id"]), with_token=with_token)


def _at_step(leave: AuthorisationView, no: No | None = None) -> Said:
    """The screen of a filling that has begun, or how it has ended."""
    state = {"authorised": "checking", "filling": "weighing"}.get(leave.state, "refused")
    if (no is not None and no.reasons) or leave.outcome == "overfilled":
        state = "refused"
    is_kept = no is not None and bool(no.errors or no.reasons)
    return Said(
        state, leave=leave, no=no, form=request.form if is_kept else {}, status=no.status if no else 200
    )


def _after_step(done: Mapping[str, Any] | None, no: No | None) -> Said:
    """Where the authorisation of the form stands now. Faults of the form are shown with what was entered."""
    given = done["authorisation_id"] if done else request.form.get("authorisation_id", "")
    try:
        leave = filling_queries.authorisation(doing(), UUID(given), with_token=done is not None)
    except ValueError:
        raise NotFound from None
    if done is None:  # the secret is not handed out again: it was in the form
        leave = replace(leave, token=request.form.get("token", ""))
    return _at_step(leave, no)


def _step(schema: type[Form], weights: tuple[str, ...], body: dict[str, Any]) -> dict[str, Any]:
    """A step's form as the API's body, with the authorisation it is for. All faults at once."""
    form, faults = request.form, list[FieldFault]()
    body = body | {"token": form.get("token", "")}
    for name in weights:
        try:
            body[name] = grams_said(f"/{name}", form.get(name, ""))
        except WrongField as wrong:
            faults += wrong.faults
            body[name] = 1  # told already
    try:
        step = form_of(schema, body)
        authorisation_id = UUID(form.get("authorisation_id", ""))
    except WrongField as wrong:
        raise WrongField.all(in_order((*wrong.faults, *faults))) from None
    except ValueError:
        raise NotFound from None
    if faults:
        raise WrongField.all(in_order(faults))
    return {**step, "authorisation_id": authorisation_id}


def _just_filled() -> Said | None:
    """After a filling the page is loaded anew, so that loading it again fills nothing."""
    cylinder_id, _, filling_id = request.args.get("filled", "").partition(".")
    if not cylinder_id:
        return None
    return Said("filled", filled=_filled(cylinder_id, filling_id))


def _filled(cylinder_id: str, filling_id: str) -> Filled:
    try:
        return station_queries.filling_of_site(doing(), UUID(cylinder_id), UUID(filling_id))
    except ValueError:
        raise NotFound from None


def _code() -> str:
    code: str = form_of(schemas.ReceiptIn, {"code": request.form.get("code", "").strip()})["code"]
    return code


def _asked(codes: list[str], station: Station) -> list[ask_queries.AskAnswer]:
    """For who fills here and over which scale, as far as they have said so."""
    chosen = _remembered(station)
    filler = UUID(chosen["filler_id"]) if chosen["filler_id"] else None
    return ask_queries.verdicts(
        doing(),
        codes,
        purpose=Purpose.FILL,
        site=station.id,
        filler=filler,
        scale=chosen["scale"] or None,
    )


# --- receiving --------------------------------------------------------------------------------------------


@face.page("/receive", "cylinder.receive")
def receiving() -> ResponseReturnValue:
    return _screen("receive", Said())


@face.page("/receipts", "cylinder.receive", methods=("POST",))
def receive() -> ResponseReturnValue:
    station = _station()
    done, no = tried(lambda: service.receive(doing(), site_id=station.id, code=_code()))
    if no is not None:
        state = "refused" if no.reasons else "wrong"
        return _screen("receive", Said(state, no=no, form=request.form, status=no.status))
    received = {**(done or {}), "code": classify(_code()).on_record, "at": clock.now()}
    return _screen("receive", Said("received", received=received))


# --- many at once -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One bottle of a batch: its verdict, then what became of it."""

    code: str
    ask: ask_queries.AskAnswer | None = None
    no: No | None = None
    filling_id: str | None = None
    is_busy: bool = False
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def may(self) -> bool:
        return self.ask is not None and self.ask.allowed


@face.page("/batch", "cylinder.ask")
def batch() -> ResponseReturnValue:
    return _screen("batch", Said())


@face.page("/batch/verdicts", "cylinder.ask", methods=("POST",))
def ask_batch() -> ResponseReturnValue:
    """Many scans, a line each: the forbidden ones first. Over another scale, if one was chosen with them."""
    station = _station()
    if request.form.get("scale"):
        _remember()
    codes, no = tried(_codes)
    if codes is None:
        return _screen("batch", Said("wrong", no=no, form=request.form, status=422))
    rows = [Row(code, answer) for code, answer in zip(codes, _asked(codes, station), strict=True)]
    return _screen("batch", Said("mixed", table=tuple(sorted(rows, key=lambda row: row.may))))


@face.page("/batch/fillings", "cylinder.fill", methods=("POST",))
def fill_batch() -> ResponseReturnValue:
    """Each bottle that was weighed is a deed of its own; one that is refused stops no other."""
    station = _station()
    codes = request.form.getlist("row")[:MOST_IN_A_BATCH]
    rows = [_filled_row(number, code, station) for number, code in enumerate(codes)]
    if any(row.filling_id for row in rows):
        _remember()
    left = [row for row in rows if row.filling_id is None]
    if left:
        asked = _asked([row.code for row in left], station)
        again = {row.code: answer for row, answer in zip(left, asked, strict=True)}
        rows = [_with_verdict(row, again.get(row.code)) for row in rows]
    return _screen("batch", Said("mixed", table=tuple(sorted(rows, key=lambda row: bool(row.filling_id)))))


def _filled_row(number: int, code: str, station: Station) -> Row:
    """Fill this row of the form, if anything was entered in it."""
    given = {name: request.form.get(f"{name}-{number}", "") for name in (*WEIGHTS, "seal_no")}
    if not any(given.values()):
        return Row(code)
    form = {"code": code, **given, **{name: request.form.get(name, "") for name in ("filler_id", "scale")}}
    for phase, items in (("before", station.items.before), ("after", station.items.after)):
        if request.form.get(f"{phase}-{number}"):
            form |= {f"{phase}-{item}": "pass" for item in items}
    try:
        done, no = tried(
            lambda: fillings.fill(doing_part(classify(code).on_record), **_filling(form, station))
        )
    except Busy:
        return Row(code, is_busy=True, form=given)
    if done is not None and "filling_id" not in done:
        no = No(200, tuple(_leave(done).reasons))
    return Row(code, no=no, filling_id=done.get("filling_id") if done else None, form=given)


def _with_verdict(row: Row, answer: ask_queries.AskAnswer | None) -> Row:
    return Row(row.code, answer, row.no, row.filling_id, row.is_busy, row.form)


def _codes() -> list[str]:
    """The lines as scanned, each bottle once."""
    lines = [line.strip() for line in request.form.get("codes", "").splitlines()]
    once = list({classify(line).code: line for line in reversed(lines) if line}.values())[::-1]
    if len(once) > MOST_IN_A_BATCH:
        raise WrongField(
            "/codes",
            "too_many",
            f"一批最多{MOST_IN_A_BATCH}只，现在{len(once)}只",
            f"expected at most {MOST_IN_A_BATCH} bottles, found {len(once)}",
        )
    codes: list[str] = form_of(schemas.VerdictsIn, {"codes": once or None})["codes"]
    return codes


# --- the stock and the day --------------------------------------------------------------------------------


@face.page("/means", "filling.read")
def means() -> ResponseReturnValue:
    """秤和气源: what this station fills with, and what the authority has stopped."""
    return render_template("station/means.html", station=_station(), no=None, words=WORDS)


@face.page("/batches", "gas_batch.use", methods=("POST",))
def use_batch() -> ResponseReturnValue:
    """From now on this station fills from that batch."""
    station = _station()
    try:
        batch_id = UUID(request.form.get("batch_id", ""))
    except ValueError:
        raise NotFound from None
    filling_means.use_batch(doing(), site_id=station.id, batch_id=batch_id)
    return redirect("/station/means")


@face.page("/stock", "stock.read")
def stock() -> ResponseReturnValue:
    station = _station()
    return render_template(
        "station/stock.html", station=station, stock=count_queries.stock(doing(), station.id)
    )


@face.page("/day", "cylinder.read")
def day() -> ResponseReturnValue:
    station = _station()
    today = station_queries.site_day(doing(), station.id, clock.today())
    return render_template("station/day.html", station=station, today=today)


# --- the form of a filling --------------------------------------------------------------------------------


def _filling(form: Mapping[str, str], station: Station) -> dict[str, Any]:
    """The page's form as the API's body: kilograms as grams, ticks as checks. All faults at once."""
    body: dict[str, Any] = {name: form.get(name, "") for name in ("code", "filler_id", "scale", "seal_no")}
    body |= {"site_id": str(station.id)}
    body |= {"checks_before": _checks(form, "before", station.items.before)}
    body |= {"checks_after": _checks(form, "after", station.items.after)}
    faults: list[FieldFault] = []
    for name in WEIGHTS:
        try:
            body[name] = grams_said(f"/{name}", form.get(name, ""))
        except WrongField as wrong:
            faults += wrong.faults
            body[name] = 1  # told already
    try:
        filling = loaded(schemas.FillingIn, {name: value for name, value in body.items() if value != ""})
    except WrongField as wrong:
        raise WrongField.all(in_order((*wrong.faults, *faults))) from None
    if faults:
        raise WrongField.all(in_order(faults))
    return filling


def in_order(faults: Iterable[FieldFault]) -> list[FieldFault]:
    """One fault a field, in the order of the form."""
    first: dict[str, FieldFault] = {}
    for fault in faults:
        first.setdefault(_field_of(fault), fault)
    order = list(FIELDS)
    return sorted(first.values(), key=lambda fault: order.index(_field_of(fault)))


def _field_of(fault: FieldFault) -> str:
    name = fault.pointer.strip("/").split("/")[0]
    return name if name in FIELDS else "code"


def _checks(form: Mapping[str, str], phase: str, items: tuple[str, ...]) -> list[dict[str, Any]]:
    """An item that nobody ticked is left without its answer: the schema says that it is missing."""
    said = {"pass": True, "fail": False}
    return [
        {
            "item": item,
            **({"passed": said[given]} if (given := form.get(f"{phase}-{item}", "")) in said else {}),
        }
        for item in items
    ]


def _remember() -> None:
    session[REMEMBERED] = {
        name: normalize("NFKC", request.form.get(name, "")).strip()[:64] for name in ("filler_id", "scale")
    }


def _remembered(station: Station) -> dict[str, str]:
    """Who fills and on which scale; a filler of this firm and a scale of this station, or nothing."""
    kept = session.get(REMEMBERED) or {}
    numbers = [scale.number for scale in station.means.scales]
    only_scale = numbers[0] if len(numbers) == 1 else ""
    scale = next((one for one in numbers if one == kept.get("scale")), only_scale)
    only = str(station.fillers[0].id) if len(station.fillers) == 1 else ""
    known = next((str(one.id) for one in station.fillers if str(one.id) == kept.get("filler_id")), only)
    return {"filler_id": known, "scale": scale}


# --- the screen -------------------------------------------------------------------------------------------


def _station() -> Station:
    """Whose terminal this is; read once a request."""
    if "station" not in g:
        g.station = station_queries.station_of(doing())
    return cast(Station, g.station)


def _wants_parts() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _screen(page: str, said: Said) -> ResponseReturnValue:
    station = _station()
    around = {
        "station": station,
        "said": said,
        "page": page,
        "fields": FIELDS,
        "chosen": _remembered(station),
        "checked": {"before": station.items.before, "after": station.items.after},
        "words": WORDS,
        "in_order": in_order,
        "MOST_IN_A_BATCH": MOST_IN_A_BATCH,
    }
    if _wants_parts():
        return jsonify(_parts(page, said, around)), said.status
    asks = station_queries.last_asks(doing(), station.id) if page == "desk" else []
    return render_template(f"station/{page}.html", asks=asks, **around), said.status


def _parts(page: str, said: Said, around: Mapping[str, Any]) -> dict[str, Any]:
    """For the script. ``reasons`` lets it see that green has none."""
    shown = [said.ask.reasons if said.ask else (), said.no.reasons if said.no else ()]
    shown += [said.leave.reasons if said.leave else ()]
    reasons = max(len(one) for one in shown)
    return {
        "echo": request.form.get("form_key", ""),
        "state": said.state,
        "reasons": reasons,
        "verdict": render_template(f"station/_{page}_verdict.html", **around),
        "work": render_template(f"station/_{page}_work.html", **around),
        "row": render_template("station/_row.html", one=_row(said.ask))
        if page == "desk" and said.ask
        else "",
    }


def _row(ask: ask_queries.AskAnswer) -> Asked:
    """As the list of the last questions will show it. A text that is no bottle's is not shown again."""
    code = ask.code if ask.cylinder_id else classify(ask.code).on_record
    return Asked(ask.ask_id, ask.asked_at, code, ask.allowed, ask.reasons[0] if ask.reasons else None)

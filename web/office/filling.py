"""秤和气源: what a firm's stations fill with. Scales and verifications, gas and its tests, which is in use.

Each form is a page of its own, of the API's own fields: what stands against it is told beside the field, and
what was entered stays. An expired verification or gas without a test may be put on file: the gun refuses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from core.problems import NotFound
from cylinders import filling_means, filling_queries
from cylinders import filling_schemas as shapes
from cylinders.filling_models import Product
from cylinders.filling_queries import FillingMeans
from registry.models import Site, SiteKind
from rulebook.words import WORDS
from web.office.face import drawn, face, office
from web.office.said import Said
from web.pages import No, form_of, tried

VERIFICATION = ("certificate_no", "verified_on", "verified_until")
TEST = ("report_no", "tested_on", "odorant_present", "dme_found")
BATCH = ("number", "product", "supplier", "certificate_no", "delivered_on")
DAYS = {"verified_on", "verified_until", "delivered_on", "tested_on"}
YES_NO = {"odorant_present", "dme_found"}
FIELDS: dict[str, Said] = {
    "number": ("编号", "number"),
    "certificate_no": ("证书编号", "certificate"),
    "verified_on": ("检定日期", "verified on"),
    "verified_until": ("有效期至", "valid until"),
    "product": ("气种", "gas"),
    "supplier": ("供方统一社会信用代码", "supplier's credit code"),
    "delivered_on": ("进站日期", "delivered on"),
    "report_no": ("检验报告号", "laboratory's report"),
    "tested_on": ("检验日期", "tested on"),
    "odorant_present": ("已加臭", "odorant found"),
    "dme_found": ("检出二甲醚", "dimethyl ether found"),
}
ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form: what it is called, its lines, those that may stay empty, and the verb it asks for."""

    said: Said
    names: tuple[str, ...]
    optional: frozenset[str]
    button: Said


SCALE = Sheet(
    ("登记充装秤", "Enter a scale"),
    ("number", *VERIFICATION),
    frozenset(VERIFICATION),
    ("登记", "Enter it"),
)
VERIFY = Sheet(("登记检定", "Enter a verification"), VERIFICATION, frozenset(), ("登记", "Enter it"))
NEW_BATCH = Sheet(
    ("登记气源批次", "Enter a gas batch"),
    (*BATCH, *TEST),
    frozenset({"certificate_no", *TEST}),
    ("登记", "Enter it"),
)
ENTER_TEST = Sheet(("登记气源检验", "Enter a test of gas"), TEST, frozenset(), ("登记", "Enter it"))


# --- the list ---------------------------------------------------------------------------------------------


@face.page("/filling", "filling.read")
def filling() -> ResponseReturnValue:
    return _list(None)


def _list(no: No | None) -> ResponseReturnValue:
    stations = [(site, filling_queries.filling_means(doing(), site.id)) for site in _stations()]
    return drawn("filling", no, stations=stations, product_words=WORDS)


def _stations() -> list[Site]:
    return [site for site in office().sites if SiteKind.FILLING_STATION.value in site.kinds]


def _station(site_id: UUID) -> tuple[Site, FillingMeans]:
    """One of the office's own filling stations, with what it fills with."""
    for site in _stations():
        if site.id == site_id:
            return site, filling_queries.filling_means(doing(), site_id)
    raise NotFound


@face.page("/filling/<uuid:site_id>/batches/<uuid:batch_id>/uses", "gas_batch.use", methods=("POST",))
def use_batch(site_id: UUID, batch_id: UUID) -> ResponseReturnValue:
    """From now on the station fills from this batch."""
    _station(site_id)
    _, no = tried(lambda: filling_means.use_batch(doing(), site_id=site_id, batch_id=batch_id))
    return _list(no) if no is not None else redirect("/office/filling", 303)


# --- scales -----------------------------------------------------------------------------------------------


@face.page("/filling/<uuid:site_id>/scales/new", "scale.register")
def new_scale(site_id: UUID) -> ResponseReturnValue:
    return _form(SCALE, _station(site_id)[0])


@face.page("/filling/<uuid:site_id>/scales/new", "scale.register", methods=("POST",))
def register_scale(site_id: UUID) -> ResponseReturnValue:
    return _sent(
        SCALE,
        site_id,
        lambda said: filling_means.register_scale(
            doing(), site_id=site_id, **form_of(shapes.ScaleIn, _with(said, "verification", VERIFICATION))
        ),
    )


@face.page("/filling/<uuid:site_id>/scales/<uuid:scale_id>/verifications", "scale.register")
def new_verification(site_id: UUID, scale_id: UUID) -> ResponseReturnValue:
    return _form(VERIFY, _station(site_id)[0], _scale_number(site_id, scale_id))


@face.page(
    "/filling/<uuid:site_id>/scales/<uuid:scale_id>/verifications", "scale.register", methods=("POST",)
)
def verify_scale(site_id: UUID, scale_id: UUID) -> ResponseReturnValue:
    return _sent(
        VERIFY,
        site_id,
        lambda said: filling_means.verify_scale(
            doing(), site_id=site_id, scale_id=scale_id, **form_of(shapes.VerificationIn, said)
        ),
        _scale_number(site_id, scale_id),
    )


def _scale_number(site_id: UUID, scale_id: UUID) -> str:
    _, means = _station(site_id)
    return _named([(one.id, one.number) for one in means.scales], scale_id)


# --- gas --------------------------------------------------------------------------------------------------


@face.page("/filling/<uuid:site_id>/batches/new", "gas_batch.register")
def new_batch(site_id: UUID) -> ResponseReturnValue:
    return _form(NEW_BATCH, _station(site_id)[0])


@face.page("/filling/<uuid:site_id>/batches/new", "gas_batch.register", methods=("POST",))
def register_batch(site_id: UUID) -> ResponseReturnValue:
    return _sent(
        NEW_BATCH,
        site_id,
        lambda said: filling_means.register_batch(
            doing(), site_id=site_id, **form_of(shapes.BatchIn, _with(said, "test", TEST))
        ),
    )


@face.page("/filling/<uuid:site_id>/batches/<uuid:batch_id>/tests", "gas_batch.register")
def new_test(site_id: UUID, batch_id: UUID) -> ResponseReturnValue:
    return _form(ENTER_TEST, _station(site_id)[0], _batch_number(site_id, batch_id))


@face.page("/filling/<uuid:site_id>/batches/<uuid:batch_id>/tests", "gas_batch.register", methods=("POST",))
def enter_test(site_id: UUID, batch_id: UUID) -> ResponseReturnValue:
    return _sent(
        ENTER_TEST,
        site_id,
        lambda said: filling_means.enter_test(
            doing(), site_id=site_id, batch_id=batch_id, **form_of(shapes.TestIn, said)
        ),
        _batch_number(site_id, batch_id),
    )


def _batch_number(site_id: UUID, batch_id: UUID) -> str:
    _, means = _station(site_id)
    return _named([(one.id, one.number) for one in means.batches], batch_id)


def _named(known: list[tuple[UUID, str]], wanted: UUID) -> str:
    """Of this station; another's is not there."""
    for one, number in known:
        if one == wanted:
            return number
    raise NotFound


# --- one form ---------------------------------------------------------------------------------------------


def _sent(
    sheet: Sheet, site_id: UUID, act: Callable[[dict[str, Any]], Any], about: str = ""
) -> ResponseReturnValue:
    site, _ = _station(site_id)
    _, no = tried(lambda: act(_said(sheet, request.form)))
    return _form(sheet, site, about, no) if no is not None else redirect("/office/filling", 303)


def _said(sheet: Sheet, form: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {name: form.get(name, "").strip() for name in sheet.names}
    return {name: ANSWERS.get(value, value) if name in YES_NO else value for name, value in said.items()}


def _with(said: dict[str, Any], part: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Lines that the API takes as a part of their own: whole, or not at all. The batch's certificate is not
    the test's, so a name belongs to one part only."""
    within = {name: said[name] for name in names if said[name] != ""}
    rest = {name: value for name, value in said.items() if name not in names}
    return rest | ({part: within} if within else {})


def _form(sheet: Sheet, site: Site, about: str = "", no: No | None = None) -> ResponseReturnValue:
    parts = {f"/{part}/{name}": name for part, names in PARTS.items() for name in names}
    return drawn(
        "filling_form",
        no,
        sheet=sheet,
        site=site,
        about=about,
        form=request.form,
        fields=FIELDS,
        called=lambda name: _called(sheet, name),
        days=DAYS,
        yes_no=YES_NO,
        products=[(one.value, WORDS[one.value]) for one in Product],
        ids=parts,
        pointers=_pointers(sheet),
    )


def _called(sheet: Sheet, name: str) -> Said:
    zh, en = FIELDS[name]
    return (f"{zh}（可空）", f"{en} (may stay empty)") if name in sheet.optional else (zh, en)


PARTS = {"verification": VERIFICATION, "test": TEST}


def _pointers(sheet: Sheet) -> dict[str, str]:
    """Where the API's document speaks of a line of this form."""
    inner = {SCALE: "verification", NEW_BATCH: "test"}.get(sheet)
    names = PARTS[inner] if inner else ()
    return {name: f"/{inner}/{name}" if name in names else f"/{name}" for name in sheet.names}

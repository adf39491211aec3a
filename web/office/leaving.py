"""A bottle's way out of use, as far as a desk goes with it: 送检, 上报不合格的瓶, 注销使用登记."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from cylinders import bottle_file_queries, life, out_of_use
from cylinders.life_models import UnfitReason
from cylinders.life_schemas import CancellationIn, SendingIn, UnfitIn
from registry import agencies
from web.office import said
from web.office.face import drawn, face
from web.office.said import Said
from web.pages import No, form_of, tried


@dataclass(frozen=True, slots=True)
class Way:
    """One form: its address, its words, the reasons to choose from, its fields, and what it does."""

    path: str
    title: Said
    lead: Said
    button: Said
    whys: Mapping[str, Said]
    names: tuple[str, ...]
    shape: type[ma.Schema]
    act: Callable[..., Any]


SEND = Way(
    "send",
    ("送检", "Send to inspection"),
    (
        "瓶要在本单位的站里，交给机构才算送出；检验机构扫码收下。送出以后不得充装，也不得送出。",
        "It must stand at a site of yours; the agency scans it when it arrives. "
        "From now on it is neither filled nor supplied.",
    ),
    ("送检", "Send it"),
    said.SENDING,
    ("agency_id", "why", "reference"),
    SendingIn,
    out_of_use.send,
)
REPORT = Way(
    "report",
    ("上报不合格的瓶", "Report an unfit bottle"),
    (
        "这只瓶马上停用，并报告登记机关；只有报废一条路。",
        "It is held at once and reported to the registering authority: only scrapping leads out.",
    ),
    ("停用并上报", "Hold and report it"),
    {
        name: text
        for name, text in said.UNFIT.items()
        if name != UnfitReason.FAILED_INSPECTION.value  # that is for its agency to report
    },
    ("why", "reference"),
    UnfitIn,
    life.report_unfit,
)
CANCEL = Way(
    "cancel",
    ("注销使用登记", "Cancel its use registration"),
    (
        "登记机关已经注销了，照文书登记。从那天起谁也不能充装、送出这只瓶。",
        "As the authority's paper says. From that day nobody may fill or supply it.",
    ),
    ("登记注销", "Enter the cancellation"),
    said.CANCELLING,
    ("why", "document_no", "cancelled_on"),
    CancellationIn,
    life.cancel_registration,
)


@face.page("/cylinders/<uuid:cylinder_id>/send", "cylinder.send_to_inspection")
def sending(cylinder_id: UUID) -> ResponseReturnValue:
    return _page(SEND, cylinder_id, None)


@face.page("/cylinders/<uuid:cylinder_id>/send", "cylinder.send_to_inspection", methods=("POST",))
def send(cylinder_id: UUID) -> ResponseReturnValue:
    return _done(SEND, cylinder_id)


@face.page("/cylinders/<uuid:cylinder_id>/report", "cylinder.report_unfit")
def reporting(cylinder_id: UUID) -> ResponseReturnValue:
    return _page(REPORT, cylinder_id, None)


@face.page("/cylinders/<uuid:cylinder_id>/report", "cylinder.report_unfit", methods=("POST",))
def report(cylinder_id: UUID) -> ResponseReturnValue:
    return _done(REPORT, cylinder_id)


@face.page("/cylinders/<uuid:cylinder_id>/cancel", "registration.cancel")
def cancelling(cylinder_id: UUID) -> ResponseReturnValue:
    return _page(CANCEL, cylinder_id, None)


@face.page("/cylinders/<uuid:cylinder_id>/cancel", "registration.cancel", methods=("POST",))
def cancel(cylinder_id: UUID) -> ResponseReturnValue:
    return _done(CANCEL, cylinder_id)


def _done(way: Way, cylinder_id: UUID) -> ResponseReturnValue:
    bottle_file_queries.cylinder_file(doing(), cylinder_id)  # whose it is not, for them it is not there
    body = {name: request.form.get(name, "").strip() for name in way.names}
    _, no = tried(lambda: way.act(doing(), cylinder_id=cylinder_id, **form_of(way.shape, body)))
    return _page(way, cylinder_id, no) if no else redirect(f"/office/cylinders/{cylinder_id}", 303)


def _page(way: Way, cylinder_id: UUID, no: No | None) -> ResponseReturnValue:
    return drawn(
        "leaving",
        no,
        way=way,
        file=bottle_file_queries.cylinder_file(doing(), cylinder_id),
        agencies=agencies.agencies(doing())["items"] if way is SEND else [],
        form=request.form,
    )

"""代办人 at the desk: whom both have come for, by the paper they signed; who stands; ending it for either."""

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from core.problems import NotFound
from oversight.looks import keep_desk_look
from registry import people, proxies, proxy_queries
from registry.household_file_queries import household_view, must_reach_household
from registry.proxy_schemas import ProxyIn
from registry.states import AccountState, ProxyState
from web.office.face import drawn, face
from web.pages import No, form_of, tried

OPEN = (ProxyState.NAMED, ProxyState.AGREED)


@face.page("/households/<uuid:household_id>/proxies", "proxy.read")
def proxies_of_household(household_id: UUID) -> ResponseReturnValue:
    """``person``: who is to be the proxy, identified a moment ago."""
    return _page(household_id)


@face.page("/households/<uuid:household_id>/proxies", "proxy.name", methods=("POST",))
def name_proxy_at_desk(household_id: UUID) -> ResponseReturnValue:
    """Both are there, or both have signed: it holds at once."""
    acts = request.form.getlist("act")
    asked = {name: request.form.get(name, "").strip() for name in ("person_id", "paper", "until_on")}
    body = asked | {"may_book": "book" in acts, "may_receive": "receive" in acts}
    _, no = tried(lambda: proxies.name_proxy(doing(), household_id, **form_of(ProxyIn, body)))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/proxies")


@face.page(
    "/households/<uuid:household_id>/proxies/<uuid:consent_id>/endings", "proxy.end", methods=("POST",)
)
def end_proxy_at_desk(household_id: UUID, consent_id: UUID) -> ResponseReturnValue:
    if proxy_queries.consent(doing(), consent_id).row.household_id != household_id:
        raise NotFound
    _, no = tried(lambda: proxies.end(doing(), consent_id))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/proxies")


def _page(household_id: UUID, no: No | None = None) -> ResponseReturnValue:
    """It shows who is named for whom: that it was opened is kept first."""
    must_reach_household(doing(), household_id)
    keep_desk_look(doing(), household_id)
    seen = proxy_queries.consents_of(doing(), household_id)
    standing = [one for one in seen if one.row.state in OPEN and not one.lapsed]
    file = household_view(doing(), household_id)
    named = request.values.get("person_id") or request.args.get("person", "")
    page, status = drawn(
        "proxies",
        no,
        file=file,
        standing=standing,
        over=[one for one in seen if one not in standing],
        is_open=file["account"] is not None and file["account"]["state"] is not AccountState.CLOSED,
        proxy=people.masked_person(doing(), named),
        form=request.form,
        today=clock.today(),
    )
    return page, status, {"Cache-Control": "no-store"}

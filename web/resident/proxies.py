"""Who may book or receive for one's home, and for whose home one may (代办)."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.http import doing
from core.problems import WrongField
from dispatch.orders import homes as home_queries
from registry import proxies, proxy_queries
from registry.proxy_schemas import ProxyIn
from registry.states import ProxyState
from web.pages import No, form_of, tried
from web.resident.pages import face


@face.page("/proxies", "proxy.answer")
def proxy_list() -> ResponseReturnValue:
    return _page()


@face.page("/proxies", "proxy.name", methods=("POST",))
def name_proxy() -> ResponseReturnValue:
    acts = request.form.getlist("act")
    body = {
        "phone": request.form.get("phone", "").strip(),
        "may_book": "book" in acts,
        "may_receive": "receive" in acts,
        "until_on": request.form.get("until_on", "").strip(),
    }
    household_id = _own_home(request.form.get("household", ""))
    _, no = tried(lambda: proxies.name_proxy(doing(), household_id, **form_of(ProxyIn, body)))
    if no is not None:
        return _page(no), no.status
    return redirect(url_for(".proxy_list", done="named"))


@face.page("/proxies/<uuid:consent_id>/answer", "proxy.answer", methods=("POST",))
def answer_proxy(consent_id: UUID) -> ResponseReturnValue:
    agreed = request.form.get("answer") == "yes"
    _, no = tried(lambda: proxies.answer(doing(), consent_id, agreed=agreed))
    if no is not None:
        return _page(no), no.status
    return redirect(url_for(".proxy_list", done="agreed" if agreed else "turned_down"))


@face.page("/proxies/<uuid:consent_id>/end", "proxy.end", methods=("POST",))
def end_proxy(consent_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: proxies.end(doing(), consent_id))
    if no is not None:
        return _page(no), no.status
    return redirect(url_for(".proxy_list", done="ended"))


def _own_home(named: str) -> UUID:
    """The home the form names, or the only one there is."""
    own = [home.household_id for home in home_queries.homes(doing())]
    if len(own) == 1 and not named:
        return own[0]
    found = next((one for one in own if str(one) == named), None)
    if found is None:
        raise WrongField("/household", "unknown", "请选一户", "expected a home of yours")
    return found


def _page(no: No | None = None) -> str:
    seen = proxy_queries.own_consents(doing())
    is_open = (ProxyState.NAMED, ProxyState.AGREED)
    standing = [one for one in seen if one.row.state in is_open and not one.lapsed]
    return render_template(
        "resident/proxies.html",
        to_answer=[one for one in standing if one.to_answer],
        held=[one for one in standing if not one.mine and one.row.state is ProxyState.AGREED],
        given=[one for one in standing if one.mine],
        over=[one for one in seen if one not in standing][:10],
        homes=home_queries.homes(doing()),
        no=no,
        done=request.args.get("done", ""),
        typed=request.form,
    )

"""Thin, as ``routes.py``: gas where it may not be, reviews, deposits, and what stands beside a home."""

# flask-smorest has no types: its decorators are Any, as in every routes.py
# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.http import doing
from registry import (
    account_reviews,
    banned_uses,
    deposits,
    letting_schemas,
    lettings,
    premises_schemas,
    proxies,
    proxy_queries,
    proxy_schemas,
    schemas,
    vulnerability,
    vulnerability_schemas,
)
from registry.account_routes import room

__all__ = ["room"]

Json = dict[str, Any]


# --------------------------------------------------------------------------------------------------------
# Bottled gas where it may not be; what stands beside an account


@room.post("/districts/<int:district>/banned-uses")
@room.may("banned_use.report", writes=True)
@room.arguments(premises_schemas.BannedUseIn)
@room.response(201, premises_schemas.BannedUseView)
def report_banned_use(seen: banned_uses.Seen, district: int) -> Json:
    done = banned_uses.report_use(doing(), seen=seen)
    return banned_uses.use_view(doing(), done["use_id"])


@room.get("/districts/<int:district>/banned-uses")
@room.may("banned_use.settle")
@room.arguments(premises_schemas.BannedUseQuery, location="query")
@room.response(200, premises_schemas.BannedUsePage)
def list_banned_uses(query: Json, district: int) -> Any:
    return banned_uses.uses(doing(), **query)


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/notices")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.UseNoticeIn)
@room.response(201, premises_schemas.BannedUseView)
def notify_banned_use(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.give_notice(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/joint-clearings")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.JointClearingIn)
@room.response(201, premises_schemas.BannedUseView)
def clear_banned_use_jointly(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.clear_jointly(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/clearings")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.ShownByIn)
@room.response(201, premises_schemas.BannedUseView)
def clear_banned_use(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.clear(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/dismissals")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.ShownByIn)
@room.response(201, premises_schemas.BannedUseView)
def dismiss_banned_use(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.dismiss(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.get("/districts/<int:district>/account-reviews")
@room.may("account.review")
@room.arguments(premises_schemas.ReviewQuery, location="query")
@room.response(200, premises_schemas.ReviewPage)
def list_account_reviews(query: Json, district: int) -> Any:
    """Accounts opened or passed on after the bar took effect: those of the 41 days, and later ones."""
    decided = {"true": True, "false": False}.get(query.pop("decided") or "")
    return account_reviews.review_list(doing(), decided=decided, **query)


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/reviews")
@room.may("account.review", writes=True)
@room.arguments(premises_schemas.ReviewIn)
@room.response(201, premises_schemas.ReviewView)
def review_account(body: Json, district: int, account_id: UUID) -> Json:
    done = account_reviews.review_account(doing(), account_id, **body)
    return account_reviews.review_view(doing(), done["account_id"])


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/deposit-lines")
@room.may("deposit.enter", writes=True)
@room.arguments(premises_schemas.DepositIn)
@room.response(201, premises_schemas.DepositView)
def enter_deposit(body: Json, district: int, account_id: UUID) -> Json:
    deposits.enter_deposit(doing(), account_id, **body)
    return deposits.deposit_view(doing(), account_id)


@room.get("/districts/<int:district>/accounts/<uuid:account_id>/deposit-lines")
@room.may("deposit.read")
@room.response(200, premises_schemas.DepositView)
def read_deposit(district: int, account_id: UUID) -> Json:
    return deposits.deposit_view(doing(), account_id)


# --------------------------------------------------------------------------------------------------------
# Those looked after first


@room.post("/districts/<int:district>/households/<uuid:household_id>/vulnerabilities")
@room.may("vulnerability.enter", writes=True)
@room.arguments(vulnerability_schemas.VulnerabilityIn)
@room.response(201, vulnerability_schemas.ListedView)
def enter_vulnerability(body: Json, district: int, household_id: UUID) -> Json:
    """Why a household is looked after first: sealed, and in no entry."""
    return vulnerability.enter(doing(), household_id, **body)


@room.post("/districts/<int:district>/households/<uuid:household_id>/vulnerabilities/<uuid:row_id>/ends")
@room.may("vulnerability.enter", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, vulnerability_schemas.ListedView)
def end_vulnerability(body: Json, district: int, household_id: UUID, row_id: UUID) -> Json:
    return vulnerability.end(doing(), household_id, row_id)


# --- lettings ---------------------------------------------------------------------------------------------


@room.post("/districts/<int:district>/households/<uuid:household_id>/lettings")
@room.may("letting.enter", writes=True)
@room.arguments(letting_schemas.LettingIn)
@room.response(201, letting_schemas.EnteredView)
def enter_letting(body: Json, district: int, household_id: UUID) -> Json:
    """Who lets this home to its registrant; what stood until now ends."""
    return lettings.enter(doing(), household_id, **body)


@room.get("/districts/<int:district>/households/<uuid:household_id>/lettings")
@room.may("letting.read")
@room.response(200, letting_schemas.LettingList)
def lettings_of_household(district: int, household_id: UUID) -> Json:
    return {"items": lettings.lettings(doing(), household_id)}


@room.post("/districts/<int:district>/households/<uuid:household_id>/lettings/<uuid:letting_id>/ends")
@room.may("letting.end", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, letting_schemas.EnteredView)
def end_letting(body: Json, district: int, household_id: UUID, letting_id: UUID) -> Json:
    return lettings.end(doing(), household_id, letting_id)


# --- proxies ----------------------------------------------------------------------------------------------


@room.post("/districts/<int:district>/households/<uuid:household_id>/proxies")
@room.may("proxy.name", writes=True)
@room.arguments(proxy_schemas.ProxyIn)
@room.response(201, proxy_schemas.ConsentView)
def name_proxy(body: dict[str, Any], district: int, household_id: UUID) -> proxy_queries.ConsentSeen:
    """Somebody who may book or receive for this home, once they agree; at a counter by a paper of both."""
    done = proxies.name_proxy(doing(), household_id, **body)
    return proxy_queries.consent(doing(), UUID(done["consent_id"]))


@room.get("/districts/<int:district>/households/<uuid:household_id>/proxies")
@room.may("proxy.read")
@room.response(200, proxy_schemas.ConsentList)
def proxies_of_household(district: int, household_id: UUID) -> dict[str, Any]:
    return {"items": proxy_queries.consents_of(doing(), household_id)}


@room.get("/districts/<int:district>/own-proxies")
@room.may("proxy.answer")
@room.response(200, proxy_schemas.ConsentList)
def own_proxies(district: int) -> dict[str, Any]:
    """Consents one gave, has, or is asked to give."""
    return {"items": proxy_queries.own_consents(doing())}


@room.post("/districts/<int:district>/proxies/<uuid:consent_id>/answers")
@room.may("proxy.answer", writes=True)
@room.arguments(proxy_schemas.ProxyAnswerIn)
@room.response(201, proxy_schemas.ConsentView)
def answer_proxy(body: dict[str, Any], district: int, consent_id: UUID) -> proxy_queries.ConsentSeen:
    """By whoever was named: yes or no."""
    proxies.answer(doing(), consent_id, **body)
    return proxy_queries.consent(doing(), consent_id)


@room.post("/districts/<int:district>/proxies/<uuid:consent_id>/endings")
@room.may("proxy.end", writes=True)
@room.arguments(proxy_schemas.ProxyEndIn)
@room.response(201, proxy_schemas.ConsentView)
def end_proxy(body: dict[str, Any], district: int, consent_id: UUID) -> proxy_queries.ConsentSeen:
    """By either side, or at a counter for one of them."""
    proxies.end(doing(), consent_id)
    return proxy_queries.consent(doing(), consent_id)

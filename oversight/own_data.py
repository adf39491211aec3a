"""What is on record about oneself: who looked, and a copy of everything (PIPL 44, 45).

Who looked comes from three places: reveals (somebody had what is masked opened), looks of the authority at
the household's file, and the courier's list of a round, which names its doors. People read the role and the
unit of who looked, the reason and the time; never the name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

import rulebook
from core import clock
from core.auth import Grant, Role, ScopeKind
from core.doing import Doing
from core.sealed import mask_document
from dispatch.orders.models import Order, OrderLine
from evidence.deed import Answer, Deed, does
from evidence.entry import Subject
from evidence.models import SubjectType
from evidence.queries import chain
from oversight.models import Look, LookKind
from oversight.own_books import books_of_home
from oversight.review_queries import OwnRefusal, own_refusals
from registry import privacy, sealing
from registry.letting_queries import let_by
from registry.models import Account, Card, Firm, Household, IdentityCheck, Person, Site
from registry.privacy_models import NoticeShown, RequestReason, Reveal
from registry.proxy_queries import consents_about
from registry.tenures import Tenure, tenures_of


@does("own_data.copy")
def copy_own_data(deed: Deed) -> Answer:
    """That a copy was given; the copy itself is drawn afterwards and kept nowhere."""
    person_id = deed.actor.scope_id(ScopeKind.PERSON)
    deed.about(SubjectType.PERSON, person_id)
    return {"person_id": str(person_id), "made_at": clock.stamp(deed.recorded_at)}


def decide(doing: Doing, request_id: UUID, *, granted: bool, reason: RequestReason) -> dict[str, Any]:
    """The registry's own decision; with the copy, where that is what was asked for and granted."""
    done = privacy.decide(doing, request_id, granted=granted, reason=reason)
    return {**done, "copy": copied(doing, done)} if done["outcome"] == "copied" else done


def copied(doing: Doing, answer: Answer) -> dict[str, Any]:
    """Everything about the person who asked, in clear but for the document's number."""
    person_id = UUID(answer["person_id"])
    consents = consents_about(doing, person_id)
    with doing.ground.sessions() as db:
        return {
            "made_at": datetime.fromisoformat(answer["made_at"]),
            "person": own_person(db, doing, person_id),
            "homes": own_homes(db, doing, person_id, with_books=True),
            "orders": _orders(db, doing.district, person_id),
            "proxies": consents,
            "lettings": let_by(db, doing.district, person_id),
            "notices_shown": [
                {"version": row.version, "shown_at": clock.stamp(row.shown_at)}
                for row in db.scalars(
                    sa.select(NoticeShown).where(NoticeShown.person_id == person_id).order_by(NoticeShown.id)
                )
            ],
            "requests": privacy.requests_of(db, doing.ground, doing.district, person_id),
            "refusals": [_refusal(one) for one in own_refusals(doing, person_id)],
            "looks": _looks(db, doing.district, person_id),
        }


def _refusal(one: OwnRefusal) -> dict[str, Any]:
    """What was refused, was it told in writing, what came of a review, with what both sides wrote."""
    view = one.review
    return {
        "refusal_no": one.entry.refusal_no,
        "refused_at": clock.stamp(one.entry.recorded_at),
        "codes": [refusal.code for refusal in one.reasons],
        "notice": one.notice and one.notice.notice.number,
        "notice_received": bool(one.notice and one.notice.receipts),
        "review": view and view.review.state.value,
        "said": view and view.said,
        "answer": view and view.answer,
    }


def looks(doing: Doing) -> list[dict[str, Any]]:
    """Who looked at one's own data in this district, the latest first."""
    with doing.ground.sessions() as db:
        return _looks(db, doing.district, doing.actor.scope_id(ScopeKind.PERSON))


def own_requests(doing: Doing) -> list[Mapping[str, Any]]:
    with doing.ground.sessions() as db:
        person_id = doing.actor.scope_id(ScopeKind.PERSON)
        return privacy.requests_of(db, doing.ground, doing.district, person_id)


def own_data(doing: Doing) -> dict[str, Any]:
    """For the page: the person and the homes."""
    person_id = doing.actor.scope_id(ScopeKind.PERSON)
    with doing.ground.sessions() as db:
        return {"person": own_person(db, doing, person_id), "homes": own_homes(db, doing, person_id)}


def own_person(db: Session, doing: Doing, person_id: UUID) -> dict[str, Any]:
    person = db.get_one(Person, person_id)
    checks = db.scalars(
        sa.select(IdentityCheck).where(IdentityCheck.person_id == person_id).order_by(IdentityCheck.id)
    ).all()
    name, phone, *numbers = sealing.all_opened(
        db,
        doing.ground,
        [sealing.name_of(person), sealing.phone_of(person), *(sealing.number_of(one) for one in checks)],
    )
    return {
        "person_id": str(person_id),
        "name": name,
        "phone": phone,
        "registered_at": clock.stamp(person.recorded_at),
        "identity_checks": [
            {
                "document_kind": check.document_kind,
                "number_masked": number and mask_document(number),
                "valid_until": check.valid_until and check.valid_until.isoformat(),
                "method": check.method.value,
                "passed": check.passed,
                "checked_at": clock.stamp(check.checked_at),
            }
            for check, number in zip(checks, numbers, strict=True)
        ],
    }


def own_homes(
    db: Session, doing: Doing, person_id: UUID, *, with_books: bool = False
) -> list[dict[str, Any]]:
    rows = db.execute(
        sa.select(Account, Household)
        .join(
            Household, sa.and_(Household.district == Account.district, Household.id == Account.household_id)
        )
        .where(Account.district == doing.district, Account.person_id == person_id)
        .order_by(Account.id)
    ).all()
    addresses = sealing.all_opened(db, doing.ground, [sealing.address_of(row.Household) for row in rows])
    return [
        {
            "household_id": str(row.Household.id),
            "address": address,
            "account": row.Account.state.value,
            "opened_on": row.Account.opened_on.isoformat(),
            "cards": [
                {"card_id": str(card.id), "model": card.cylinder_model, "state": card.state.value}
                for card in db.scalars(
                    sa.select(Card)
                    .where(Card.district == doing.district, Card.account_id == row.Account.id)
                    .order_by(Card.id)
                )
            ],
            **(books_of_home(db, doing.ground, row.Account) if with_books else {}),
        }
        for row, address in zip(rows, addresses, strict=True)
    ]


def _orders(db: Session, district: int, person_id: UUID) -> list[dict[str, Any]]:
    """Those of their own days as registrant, wherever they live now; nobody else's."""
    rows = db.execute(
        sa.select(Order, OrderLine)
        .join(OrderLine, sa.and_(OrderLine.district == Order.district, OrderLine.order_id == Order.id))
        .where(Order.district == district, Order.person_id == person_id)
        .order_by(Order.id, OrderLine.id)
    )
    orders: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        said = orders.setdefault(
            row.Order.id,
            {
                "order_id": str(row.Order.id),
                "booked_at": clock.stamp(row.Order.recorded_at),
                "purpose": row.Order.purpose.value,
                "channel": row.Order.channel.value,
                "contactless": row.Order.contactless,
                "lines": [],
            },
        )
        said["lines"].append({"model": row.OrderLine.cylinder_model, "state": row.OrderLine.state.value})
    return list(orders.values())


# --- who looked ---------------------------------------------------------------------------------------------


def _looks(db: Session, district: int, person_id: UUID) -> list[dict[str, Any]]:
    """At the person, and at their homes while they were theirs: what came after is another's to know."""
    tenures = tenures_of(db, district, person_id)
    found = _reveals(db, district, Reveal.person_id == person_id)
    found += _files_read(db, district, sa.or_(sa.false(), *(_looked_in(one) for one in tenures)))
    for tenure in tenures:
        found += [one for one in _rounds(db, tenure.household_id) if tenure.covers(one["at"])]
    return sorted(found, key=lambda one: one["at"], reverse=True)


def _looked_in(tenure: Tenure) -> sa.ColumnElement[bool]:
    until = sa.true() if tenure.until is None else Look.looked_at < tenure.until
    return sa.and_(Look.subject_id == tenure.household_id, Look.looked_at >= tenure.since, until)


def looks_at_home(db: Session, district: int, household_id: UUID) -> list[dict[str, Any]]:
    """Who looked at one household, whoever its registrant was then; the latest first."""
    reveals = _reveals(db, district, Reveal.household_id == household_id)
    read = _files_read(db, district, Look.subject_id == household_id)
    found = [*reveals, *read, *_rounds(db, household_id)]
    return sorted(found, key=lambda one: one["at"], reverse=True)


def _reveals(db: Session, district: int, whose: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = db.scalars(sa.select(Reveal).where(Reveal.district == district, whose))
    return [
        {
            "at": row.revealed_at,
            "role": row.role,
            "unit": _unit(db, row.role, row.scope_code, district),
            "what": "reveal",
            "fields_shown": row.fields,
            "reason": row.reason,
            "purpose": row.purpose,
            "case_no": row.case_no,
        }
        for row in rows
    ]


def _files_read(db: Session, district: int, which: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    """The authority, or a desk, read the household's file or trace; what is personal stayed masked in it."""
    rows = db.execute(
        sa.select(Look, Grant)
        .join(Grant, Grant.id == Look.grant_id, isouter=True)
        .where(Look.district == district, Look.kind == LookKind.HOUSEHOLD, which)
    )
    return [
        {
            "at": row.Look.looked_at,
            "role": row.Grant.role if row.Grant else Role.REGULATOR,
            "unit": _unit(
                db,
                row.Grant.role if row.Grant else Role.REGULATOR,
                row.Grant.scope_code if row.Grant else "",
                district,
            ),
            "what": "file",
            "fields_shown": [],
            "reason": None,
            "purpose": None,
            "case_no": None,
        }
        for row in rows
    ]


def _rounds(db: Session, household_id: UUID) -> list[dict[str, Any]]:
    """The courier's list of a round was opened, with this door on it."""
    entries = chain(db, Subject(SubjectType.HOUSEHOLD, str(household_id))).entries
    return [
        {
            "at": entry.recorded_at,
            "role": Role.COURIER,
            "unit": _firm_name(db, entry.said.get("firm_id")),
            "what": "round",
            "fields_shown": ["address", "name", "phone"],
            "reason": "delivery",
            "purpose": "visit",
            "case_no": None,
        }
        for entry in entries
        if entry.said["payload"].get("revealed") == "manifest"
    ]


_ID_LENGTH = 36


def _unit(db: Session, role: Role, scope_code: str, district: int) -> str:
    """The firm whose people they are; of an authority, the district."""
    if role is not Role.REGULATOR and len(scope_code) == _ID_LENGTH:
        site = db.get(Site, UUID(scope_code))
        return _firm_name(db, str(site.firm_id) if site else scope_code)
    place = scope_code if scope_code in rulebook.current().places else str(district)
    return rulebook.current().places.get(place, place)


def _firm_name(db: Session, firm_id: str | None) -> str:
    firm = db.get(Firm, UUID(firm_id)) if firm_id else None
    return firm.name if firm else ""

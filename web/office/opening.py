"""开户: a person is registered, a place, then the account with its cards; each step is a deed of its own.

Who comes to the counter has been shown the notice first; whether the law lets an account be opened at all is
asked before (``/office/accounts``), and judged again at the last step.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.geo import Datum
from core.http import doing
from core.problems import FieldFault, WrongField
from cylinders import office_queries
from evidence.deed import Answer
from registry import accounts, divisions, households, people
from registry.account_gate import AccountBusiness
from registry.documents import DocumentKind
from registry.models import CheckMethod, PremisesKind
from registry.privacy_notice import in_force
from registry.schemas import AccountIn, PersonIn, PlaceIn
from web.office import said
from web.office.face import drawn, face, office
from web.office.seen import CHOICES, seen_form
from web.pages import No, form_of, tried

MOST_CARDS = 10
OPENINGS = (AccountBusiness.OPENING, AccountBusiness.CHANGE_OF_ADDRESS, AccountBusiness.REOPENING)
PERSON = ("name", "phone", "method", "evidence", "notice_version")
COMES_FOR = {"succeeds": "successions", "acts_for": "proxies", "lets": "letting"}
"""What else somebody is registered for than an account of their own, and the household's page to go on to."""
PLACE = ("address", "street_code", "committee_code", "estate_code", "building_code", "kind")


# --- the person -------------------------------------------------------------------------------------------


@face.page("/people/new", "person.register")
def new_person() -> ResponseReturnValue:
    return _person_page({}, None)


@face.page("/people", "person.register", methods=("POST",))
def register_person() -> ResponseReturnValue:
    """Who shows a document that is registered, and says the same name, is that person."""
    done, no = tried(lambda: people.register_person(doing(), **_person(request.form)))
    if done is None:
        return _person_page(request.form, no)
    for named, page in COMES_FOR.items():
        if household_id := _household(request.form.get(named)):
            return redirect(f"/office/households/{household_id}/{page}?person={done['person_id']}")
    return redirect(f"/office/people/{done['person_id']}/place" + ("?known=1" if done["standing"] else ""))


def _household(said_of: str | None) -> UUID | None:
    """The household this person is registered for: to take over its account, or to act for it."""
    try:
        return UUID(said_of or "")
    except ValueError:
        return None


def _person(form: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {name: form.get(name, "").strip() for name in PERSON}
    document = {name: form.get(f"document-{name}", "").strip() for name in ("kind", "number", "valid_until")}
    body["document"] = {name: value for name, value in document.items() if value}
    return form_of(PersonIn, body)


def _person_page(form: Mapping[str, str], no: No | None) -> ResponseReturnValue:
    return drawn(
        "person",
        no,
        form=form,
        notice=in_force(clock.today()),
        kinds=list(DocumentKind),
        methods=list(CheckMethod),
        comes_for={named: _household(request.values.get(named)) for named in COMES_FOR},
    )


# --- the place --------------------------------------------------------------------------------------------


@face.page("/people/<uuid:person_id>/place", "premises.register")
def new_place(person_id: UUID) -> ResponseReturnValue:
    return _place_page(person_id, {}, None)


@face.page("/people/<uuid:person_id>/place", "premises.register", methods=("POST",))
def register_place(person_id: UUID) -> ResponseReturnValue:
    """A place whose household stands answers as it stands."""
    done, no = tried(lambda: households.register_premises(doing(), place=_place(request.form)))
    if done is None:
        return _place_page(person_id, request.form, no)
    return redirect(f"/office/people/{person_id}/households/{done['household_id']}/account")


def _place(form: Mapping[str, str]) -> households.Place:
    """All faults at once, those of the point's two numbers too."""
    body: dict[str, Any] = {name: form.get(name, "").strip() for name in PLACE} | seen_form(form)
    body["user_class"] = said.CLASS_AT.get(body["kind"])
    faults: list[FieldFault] = []
    point: dict[str, Any] = {"datum": form.get("datum", "")}
    for name in ("lon", "lat"):
        try:
            point[name] = float(form.get(name, "").strip())
        except ValueError:
            faults.append(FieldFault(f"/point/{name}", "number", "应为小数", "expected a decimal number"))
    body["point"] = point | ({"lon": 0.0, "lat": 0.0} if faults else {})
    try:
        place: Any = form_of(PlaceIn, body)
    except WrongField as wrong:
        raise WrongField.all([*wrong.faults, *faults]) from None
    if faults:
        raise WrongField.all(faults)
    return cast(households.Place, place)


def _place_page(person_id: UUID, form: Mapping[str, str], no: No | None) -> ResponseReturnValue:
    people.must_reach_person(doing(), person_id)
    return drawn(
        "place",
        no,
        form=form,
        person_id=person_id,
        is_known=request.args.get("known") == "1",
        kinds=list(PremisesKind),
        datums=list(Datum),
        choices=CHOICES,
        divisions=divisions.to_choose(doing()),
    )


# --- the account ------------------------------------------------------------------------------------------


@face.page("/people/<uuid:person_id>/households/<uuid:household_id>/account", "account.open")
def new_account(person_id: UUID, household_id: UUID) -> ResponseReturnValue:
    return _account_page(person_id, household_id, {}, None)


@face.page(
    "/people/<uuid:person_id>/households/<uuid:household_id>/account", "account.open", methods=("POST",)
)
def open_account(person_id: UUID, household_id: UUID) -> ResponseReturnValue:
    """Judged for the day of application; then the household's file, where its card is printed."""
    number = request.form.get("cards", "")
    models = [request.form.get("cylinder_model", "")] * (int(number) if number in _NUMBERS else 1)
    asked = {
        "household_id": str(household_id),
        "person_id": str(person_id),
        "firm_id": str(office().firm_id or request.form.get("firm_id", "")),
        "applied_on": request.form.get("applied_on", ""),
        "kind": request.form.get("kind", ""),
        "cards": [{"cylinder_model": model} for model in models],
    }

    def act() -> Answer:
        return accounts.open_account(doing(), **form_of(AccountIn, asked))

    done, no = tried(act)
    if done is None:
        return _account_page(person_id, household_id, request.form, no)
    return redirect(f"/office/households/{household_id}")


_NUMBERS = tuple(str(number) for number in range(1, MOST_CARDS + 1))


def _account_page(
    person_id: UUID, household_id: UUID, form: Mapping[str, str], no: No | None
) -> ResponseReturnValue:
    people.must_reach_person(doing(), person_id)
    return drawn(
        "account",
        no,
        form=form,
        person_id=person_id,
        household_id=household_id,
        kinds=OPENINGS,
        numbers=_NUMBERS,
        models=office_queries.models(doing()),
        today=clock.today(),
    )

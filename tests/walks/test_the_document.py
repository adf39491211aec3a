"""The whole document tried by schemathesis: whatever it generates, no 500, and no answer but those described.

Each route is asked by somebody who has its verb, in a house that has lived a day: what is generated for ids
is mostly replaced by ids that stand there, so that answers come from behind the door and not only from it.
Examples are derived from the document alone: the same document is tried in the same way everywhere.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.auth import Role, actors_of
from core.db import Base
from core.ground import Ground
from tests.cast import Cast
from tests.cylinders.cast import Bottles
from tests.desk import Desk, Person
from tests.dispatch.checklist import answers, check
from tests.walks import test_the_main_job as day
from web.rights import RIGHTS

pytestmark = pytest.mark.slow

EXAMPLES = {GenerationMode.POSITIVE: 5, GenerationMode.NEGATIVE: 3}
WITH_SUCCESS = 25  # of some ninety routes that many are to be got through, also by generated bodies
METHODS = {"get", "post", "put", "patch", "delete"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# what an id is called where it is not called as its table
TABLES = {
    "courier": "staff",
    "draft": "zone_draft",
    "filler": "staff",
    "grant": "role_grant",
    "line": "order_line",
    "order": "supply_order",
    "plan": "round_plan",
}


@dataclass
class House:
    """A house after a day: who may ask what, and which ids stand there."""

    app: Flask
    people: dict[Role, Person]
    ids: dict[str, list[str]]
    code: str
    turn: Iterator[int] = field(default_factory=itertools.count)

    def who_may(self, verb: str) -> Person:
        return next(person for role, person in self.people.items() if verb in RIGHTS[role])

    def an_id(self, name: str, otherwise: Any) -> Any:
        """One that stands there, three times of four; where none is known, the one that was generated."""
        thing = name.removesuffix("s").removesuffix("_id").rpartition("_")[2]
        standing = self.ids.get(TABLES.get(thing, thing), [])
        turn = next(self.turn)
        return standing[turn % len(standing)] if standing and turn % 4 else otherwise

    def at_home(self, tree: Any, name: str = "") -> Any:
        """A generated body, with ids of this house."""
        if isinstance(tree, dict):
            return {key: self.at_home(branch, key) for key, branch in tree.items()}
        if isinstance(tree, list):
            return [self.at_home(branch, name) for branch in tree]
        if name.endswith(("_id", "_ids")) and isinstance(tree, str):
            return self.an_id(name, tree)
        if name == "district" and isinstance(tree, int):
            return 310105
        return tree


@pytest.fixture
def house(app: Flask, desk: Desk, ground: Ground) -> House:
    cast = Cast(desk)
    with ground.sessions() as db:
        day.test_from_registration_to_trace(cast, ground, db)
    bottles, home = Bottles(cast), cast.household()
    bottle = bottles.full()
    cast.clerk.post(cast.at("checks"), check(home.household_id, items=answers(hose_whole={})))
    people = {
        Role.CLERK: cast.clerk,
        Role.DISPATCHER: cast.dispatcher,
        Role.FILLER: cast.filler,
        Role.COURIER: cast.signed_in_courier(cast.bind().courier_id),
        Role.RESIDENT: cast.resident(cast.registrant_of(home)),
        Role.AGENCY: bottles.agency,
        Role.REGULATOR: cast.regulator,
        Role.ADMINISTRATOR: cast.admin,
    }
    ids = standing(ground)
    # a grant that may be ended: with one of those above its holder would be shown the door
    ids["role_grant"] = [grant_of(ground, cast.granted("clerk", "firm", str(cast.firm())))]
    return House(app, people, ids, bottle.code)


def standing(ground: Ground) -> dict[str, list[str]]:
    """Ids by table, a few of each."""
    with ground.sessions() as db:
        return {
            name: [str(one) for one in db.scalars(sa.select(table.c[column]).distinct().limit(20))]
            for name, table in Base.metadata.tables.items()
            for column in ("id", f"{name}_id")
            if column in table.c
        }


def grant_of(ground: Ground, person: Person) -> str:
    [actor] = actors_of(ground.reads, person.token)
    return str(actor.grant_id)


def test_whatever_is_asked_is_answered_as_the_document_says(house: House) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", house.app)
    asked, faults = dict[str, set[int]](), list[str]()
    for found in schema.get_all_operations():
        for mode, examples in EXAMPLES.items():
            faults += tried(house, found.ok(), mode, examples, asked)
    assert faults == []
    assert len(asked) == sum(len(set(item) & METHODS) for item in schema.raw_schema["paths"].values())
    assert sum(statuses & {200, 201} != set() for statuses in asked.values()) >= WITH_SUCCESS, asked


def tried(
    house: House,
    operation: APIOperation,
    mode: GenerationMode,
    examples: int,
    asked: dict[str, set[int]],
) -> list[str]:
    """What was wrong with the answers of one route; nothing, as it should be."""
    faults: list[str] = []
    token = house.who_may(operation.definition.raw["x-verb"]).token
    statuses = asked.setdefault(operation.label, set())

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode))
    def ask(case: Case) -> None:
        bring_home(house, case, mode)
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        statuses.add(answer.status_code)
        try:
            case.validate_response(answer, checks=CHECKS)
            assert str(answer.status_code) in operation.responses.status_codes, (
                "only the default describes it"
            )
        except (FailureGroup, AssertionError) as fault:
            said = [str(one) for one in getattr(fault, "exceptions", [fault])]
            faults.append(f"{operation.label} {mode.value} {answer.status_code}: {' / '.join(said)}")

    ask()
    return faults


def bring_home(house: House, case: Case, mode: GenerationMode) -> None:
    """Ids that stand in this house; of what is generated to be wrong the body stays as it is."""
    parameters = case.path_parameters or {}
    for name in list(parameters):
        if name == "district":
            parameters[name] = 310105
        elif name == "code":
            parameters[name] = house.code if next(house.turn) % 2 else parameters[name]
        else:
            parameters[name] = house.an_id(name, parameters[name])
    if mode is GenerationMode.POSITIVE:
        case.body = house.at_home(case.body)
        if case.method == "POST":
            case.headers["Idempotency-Key"] = str(uuid4())

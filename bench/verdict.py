"""May this bottle be filled? The question every scan at a station asks, in process against raw psycopg."""

import sys
from typing import Any

import orjson

from bench.claim import Claim
from bench.operation import Answer, Operation, Ready, WrongOutcome, at_the_door, doing_as, must_answer
from bench.stand import House
from bench.town import Town, is_overdue
from cylinders import ask_queries
from cylinders.refill_gate import Purpose


def _at_the_door(town: Town) -> Operation:
    """A filler asks for the own station, as the scanner at the filling place does."""

    def check(answer: Answer) -> None:
        must_answer(200)(answer)
        said = orjson.loads(answer.body)
        _must_be_as_filed(town, said["code"], said["allowed"])

    return Operation("at the door: GET by-code", _asked(town, town.filler, "fill"), check)


def _behind_it(town: Town) -> Operation:
    def ready(house: House, i: int) -> Ready:
        doing, code = doing_as(house, town.filler), _code(town, i)
        return lambda: ask_queries.verdicts(doing, [code], purpose=Purpose.FILL)

    def check(answers: list[ask_queries.AskAnswer]) -> None:
        _must_be_as_filed(town, answers[0].code, answers[0].allowed)

    return Operation("behind it: ask_queries.verdicts", ready, check)


def _others(town: Town) -> list[Operation]:
    askers = {"a courier, for dispatch": town.courier, "a regulator, for dispatch": town.regulator}
    return [
        Operation(name, _asked(town, token, "dispatch"), must_answer(200)) for name, token in askers.items()
    ]


def _asked(town: Town, token: str, purpose: str) -> Any:
    def ready(house: House, i: int) -> Ready:
        path = f"/api/v1/cylinders/by-code/{_code(town, i)}/verdict?purpose={purpose}"
        return at_the_door(house.app, "GET", path, token)

    return ready


def _code(town: Town, i: int) -> str:
    return town.codes[i % len(town.codes)]


def _must_be_as_filed(town: Town, code: str, allowed: bool) -> None:
    overdue = is_overdue(town.codes.index(code))
    if allowed is overdue:
        raise WrongOutcome(f"{code}: expected allowed to be {not overdue}")


VERDICT = Claim(
    name="verdict",
    title="May this bottle be filled?",
    door=_at_the_door,
    service=_behind_it,
    others=_others,
    operations=1000,
    hot_path=3,
    uses_homes=False,
)

if __name__ == "__main__":
    from bench.command import main

    sys.exit(main(VERDICT))

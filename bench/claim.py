"""A claim: one operation at the door and behind it, measured in every way we have."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.commands import WARM_UP as COMMANDS_WARM_UP
from bench.commands import commands_of
from bench.operation import Operation
from bench.race import Race, race
from bench.sampled import Sampled, sample
from bench.stand import Stand
from bench.town import Town

WARM_UP = 30
"""Operations before the measured ones: caches fill, and psycopg prepares what it has sent five times."""


@dataclass(frozen=True, slots=True)
class Claim:
    """``door`` and ``service``: the operation, through the whole application and behind its door.

    ``others``: the same for other askers, of which only the commands are counted. ``hot_path``: the most
    statements the design allows, where it names a number. ``uses_homes``: each operation takes another home.
    """

    name: str
    title: str
    door: Callable[[Town], Operation]
    service: Callable[[Town], Operation]
    others: Callable[[Town], Sequence[Operation]]
    operations: int
    hot_path: int | None
    uses_homes: bool

    def homes_needed(self, operations: int) -> int:
        return max(WARM_UP + operations, COMMANDS_WARM_UP + 1) if self.uses_homes else 0


@dataclass(frozen=True, slots=True)
class Measured:
    claim: Claim
    races: list[Race]
    commands: dict[str, Counter[str]]
    sampled: Sampled


def measure(stand: Stand, claim: Claim, operations: int) -> Measured:
    town = stand.town
    door, service = claim.door(town), claim.service(town)
    return Measured(
        claim,
        races=[race(stand, one, warm_up=WARM_UP, count=operations) for one in (door, service)],
        commands={one.name: commands_of(stand, one) for one in (door, service, *claim.others(town))},
        sampled=sample(stand, door, warm_up=WARM_UP, count=operations),
    )

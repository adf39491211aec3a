"""What the server itself ran for one operation, read from its own log: also what the driver and the pool add.

Statements are what somebody wrote; beside them go the pool's ping before each use of a connection, the ends
and beginnings of transactions, and savepoints. Each costs a way to the server and back.
"""

import re
from collections import Counter

from bench.operation import Operation
from bench.stand import Stand

_LINE = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)")
_KINDS = {
    "begin": re.compile(r"BEGIN"),
    "commit": re.compile(r"COMMIT"),
    "rollback": re.compile(r"ROLLBACK(?! TO)"),
    "savepoint": re.compile(r"SAVEPOINT|RELEASE|ROLLBACK TO"),
    "ping": re.compile(r"(SELECT 1)?;?$"),
}
WARM_UP = 12
"""Operations before the one that is read: the driver prepares a statement that it has seen five times."""


def commands_of(stand: Stand, operation: Operation, first: int = 0) -> Counter[str]:
    """By kind, of one operation: begin, commit, rollback, savepoint, ping, statement."""
    log = stand.cluster.log
    with stand.house(stand.clone([("log_statement", "all")])) as house:
        for i in range(first, first + WARM_UP):
            operation.check(operation.ready(house, i)())
        ready = operation.ready(house, first + WARM_UP)
        begun_at = log.stat().st_size
        outcome = ready()
        with log.open("rb") as said:
            said.seek(begun_at)
            text = said.read().decode(errors="replace")
        operation.check(outcome)
    return Counter(_kind(match[1]) for line in text.splitlines() if (match := _LINE.search(line)))


def _kind(command: str) -> str:
    return next((name for name, pattern in _KINDS.items() if pattern.match(command)), "statement")

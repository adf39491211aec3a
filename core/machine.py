"""State machines as tables: one row a move, and nothing moves but by a row.

Three fences hold the same table: ``Machine.move`` in Python, the row itself (``UPDATE … WHERE state =
seen``), and a PostgreSQL trigger whose SQL is printed from the table (``Machine.ddl``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.refusal import Refused, reason

ILLEGAL_MOVE = reason(
    "state.move_not_allowed",
    "S01",
    zh="当前状态“{state}”不能“{move}”",
    en="a {thing} that is {state} cannot {move}",
    office=("refresh", "刷新后按当前状态办理", "reload and act on the present state"),
)
LOST_RACE = reason(
    "state.changed_meanwhile",
    "S02",
    zh="这条记录刚刚被别人改过",
    en="somebody else has just changed this {thing}",
    office=("refresh", "刷新后再试", "reload and try again"),
)


@dataclass(frozen=True, slots=True)
class Move:
    name: str
    source: StrEnum
    target: StrEnum


MACHINES: dict[str, "Machine"] = {}


class Machine:
    """The states of one kind of row. The row's column is called ``state``."""

    def __init__(self, thing: str, table: str, initial: StrEnum, moves: Iterable[Move]):
        self.thing = thing
        self.table = table
        self.initial = initial
        self.moves = tuple(moves)
        self._targets = {(move.name, move.source): move.target for move in self.moves}
        if len(self._targets) != len(self.moves):
            raise ValueError(f"{thing}: expected one row for a move from a state, found two")
        MACHINES[table] = self

    def can(self, name: str, state: StrEnum) -> bool:
        return (name, state) in self._targets

    def move(self, db: Session, row: Any, name: str) -> None:
        """Make the move, if the row is still where it was seen."""
        seen = row.state
        target = self._targets.get((name, seen))
        if target is None:
            raise Refused([ILLEGAL_MOVE(thing=self.thing, state=seen, move=name)])
        db.flush()
        identity = sa.inspect(row).mapper.primary_key
        key = sa.and_(*(column == getattr(row, column.key) for column in identity))
        model = type(row)
        moved = cast(
            sa.CursorResult[Any],
            db.execute(
                sa.update(model)
                .where(key, model.state == seen)
                .values(state=target)
                .execution_options(synchronize_session=False)
            ),
        )
        if moved.rowcount != 1:
            raise Refused([LOST_RACE(thing=self.thing)])
        db.refresh(row, ["state"])

    def move_all(self, db: Session, model: Any, name: str, which: sa.ColumnElement[bool]) -> None:
        """The move of many rows at once: of those that are where it begins. The others stay as they are."""
        for (named, source), target in self._targets.items():
            if named == name:
                db.execute(
                    sa.update(model)
                    .where(which, model.state == source)
                    .values(state=target)
                    .execution_options(synchronize_session=False)
                )

    @property
    def constraint(self) -> str:
        return f"machine_{self.table}"

    def ddl(self) -> str:
        """The trigger that holds this table in PostgreSQL: first state on INSERT, known moves on UPDATE."""
        pairs = ", ".join(
            f"('{source}', '{target}')"
            for source, target in sorted({(move.source.value, move.target.value) for move in self.moves})
        )
        return f"""\
CREATE FUNCTION {self.constraint}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> '{self.initial.value}' THEN
      RAISE EXCEPTION '{self.thing}: a new row must be {self.initial.value}, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = '{self.constraint}', TABLE = '{self.table}';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({pairs}) THEN
    RAISE EXCEPTION '{self.thing}: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = '{self.constraint}', TABLE = '{self.table}';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER {self.constraint} BEFORE INSERT OR UPDATE OF state ON {self.table}
  FOR EACH ROW EXECUTE FUNCTION {self.constraint}();
"""

    def mermaid(self) -> str:
        """The drawing in docs/states.md."""
        rows = [f"    [*] --> {self.initial.value}"]
        rows += [f"    {move.source.value} --> {move.target.value}: {move.name}" for move in self.moves]
        leaves = {move.target for move in self.moves} - {move.source for move in self.moves}
        rows += [f"    {leaf.value} --> [*]" for leaf in sorted(leaves)]
        return "\n".join(["stateDiagram-v2", *rows])

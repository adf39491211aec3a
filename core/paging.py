"""Lists: ``{items, next_cursor}`` in the order (recorded_at, id), no totals.

A cursor is opaque and signed, and bound to the filter and scope it was given for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from core.problems import WrongField

MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page:
    items: Sequence[Any]
    next_cursor: str | None


class Pager:
    """``binding`` names the list, its filter and the caller's scope: a cursor fits only there."""

    def __init__(self, secret: bytes, binding: str):
        self._signer = URLSafeSerializer(secret, salt=f"cursor:{binding}")

    def page(
        self,
        db: Session,
        query: sa.Select[Any],
        recorded_at: sa.SQLColumnExpression[datetime],
        row_id: sa.SQLColumnExpression[UUID],
        *,
        limit: int,
        cursor: str | None,
        position: Callable[[Any], tuple[datetime, UUID]],
    ) -> Page:
        """One page of ``query``; ``position`` tells where a row stands."""
        if cursor is not None:
            query = query.where(sa.tuple_(recorded_at, row_id) > sa.tuple_(*self._read(cursor)))
        rows = db.execute(query.order_by(recorded_at, row_id).limit(limit + 1)).all()
        items = rows[:limit]
        more = len(rows) > limit
        return Page(items, self._write(*position(items[-1])) if more else None)

    def _write(self, at: datetime, row_id: UUID) -> str:
        return self._signer.dumps([at.isoformat(), str(row_id)])

    def _read(self, cursor: str) -> tuple[datetime, UUID]:
        try:
            at, row_id = self._signer.loads(cursor)
            return datetime.fromisoformat(at), UUID(row_id)
        except (BadSignature, ValueError, TypeError):
            raise WrongField(
                "/cursor",
                "cursor",
                "翻页标记无效或不属于这个查询",
                "expected a cursor given by this very list",
            ) from None

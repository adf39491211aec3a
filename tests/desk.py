"""The desk: signs people in and sends their requests through the real application."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from core.auth import Grant, Role, ScopeKind, issue_token
from core.ground import Ground
from core.ids import new_id
from tests.document import must_be_described

_keys = itertools.count(1)


@dataclass
class Person:
    """Somebody signed in. Writing requests carry a fresh idempotency key unless one is given."""

    app: Flask
    token: str
    principal_id: UUID

    def get(self, path: str, **query: Any) -> TestResponse:
        answer = self.app.test_client().get(path, headers=self._headers(), query_string=query)
        return self._described(answer)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **more: str) -> TestResponse:
        headers = self._headers() | {"Idempotency-Key": key or f"test-key-{next(_keys):06d}"} | more
        sent = json.dumps({} if body is None else body)
        client = self.app.test_client()
        answer = client.post(path, data=sent, headers=headers, content_type="application/json")
        return self._described(answer)

    def send(self, path: str, file: bytes, *, key: str | None = None, **query: Any) -> TestResponse:
        """A file as the body."""
        headers = self._headers() | {"Idempotency-Key": key or f"test-key-{next(_keys):06d}"}
        answer = self.app.test_client().post(
            path, data=file, headers=headers, query_string=query, content_type="application/octet-stream"
        )
        return self._described(answer)

    def _described(self, answer: TestResponse) -> TestResponse:
        """As the API's document says it may be answered."""
        if isinstance(self.app, Flask):
            must_be_described(self.app, answer)
        return answer

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Desk:
    app: Flask
    ground: Ground

    def sign_in(
        self,
        role: Role,
        home: int = 310105,
        kind: ScopeKind = ScopeKind.ALL,
        code: str = "",
        **scope: UUID | str,
    ) -> Person:
        """``desk.sign_in(Role.CLERK, firm=firm_id)``; without a scope: everything."""
        for named, identity in scope.items():
            kind, code = ScopeKind(named), str(identity)
        with self.ground.sessions() as db:
            principal = new_id()
            db.add(
                Grant(
                    id=new_id(),
                    principal_id=principal,
                    role=role,
                    scope_kind=kind,
                    scope_code=code,
                    home_district=home,
                    from_at=datetime(2020, 1, 1, tzinfo=UTC),
                )
            )
            token = issue_token(db, principal, f"{role.value} (test)")
            db.commit()
        return Person(self.app, token, principal)

"""A dispatcher of the cast's firm before their own pages, without a browser."""

import itertools
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import sessions
from core.sessions import SignedInBy
from tests.desk import Desk, Person

_keys = itertools.count(1)


class DispatcherDesk:
    def __init__(self, desk: Desk, person: Person) -> None:
        self.client: FlaskClient = desk.app.test_client()
        secret = sessions.open_session(desk.ground, person.principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = desk.app.session_interface.get_signing_serializer(desk.app)  # type: ignore[attr-defined]
        self.client.set_cookie("lpg", str(signer.dumps({"secret": secret})))

    def look(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def send(self, page: str, path: str, form: dict[str, Any], *, key: str | None = None) -> TestResponse:
        """A form sent to ``path`` with the token of ``page`` and a key of its own."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.look(page))
        assert token is not None, f"{page} carries no token"
        said = {"csrf_token": token.group(1), "form_key": key or f"form-key-{next(_keys):06d}"}
        return self.client.post(path, data=said | form)

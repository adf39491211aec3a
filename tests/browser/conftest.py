"""A real browser before the real application on real PostgreSQL.

    def test_…(house: House, browse: Browse) -> None:
        page = browse.page(house.signed_in(Role.FILLER, site=…))     a page that is signed in
        page.goto(house.at("/station/"))
        browse.is_accessible(page)          axe without violations
        browse.reflows(page)                nothing scrolls sideways at 320 px, at 200 %, and in large type
        browse.shot(page, "station-desk")   kept under screenshots/, to be looked at

Every page is watched: a console error, an exception, or a request to another origin fails the test. Without
Debian's chromium the browser tests are skipped, and the count of skipped ones is printed at the end.
"""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import axe_playwright_python
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from core import sessions
from core.auth import Role
from core.ground import Ground
from core.sessions import SignedInBy
from tests.desk import Desk

SHOTS = Path(__file__).resolve().parent.parent.parent / "screenshots"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 30_000
"""How long a page may take on a machine with other work: what is wrong is wrong after that too."""
expect.set_options(timeout=PATIENCE_MS)
QUIET = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium: apt install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@dataclass
class House:
    """The application, listening."""

    address: str
    app: Flask
    ground: Ground
    desk: Desk
    server: BaseWSGIServer

    def stop(self) -> None:
        """The server goes away, as it would in a power cut: nothing answers at its address."""
        self.server.shutdown()
        self.server.server_close()

    def at(self, path: str) -> str:
        return self.address + path

    def signed_in(self, role: Role, home: int = 310105, **scope: UUID | str) -> dict[str, str]:
        """The cookie of somebody new with this role and scope, as ``Desk.sign_in`` makes them."""
        return self.cookie_of(self.desk.sign_in(role, home, **scope).principal_id)

    def cookie_of(self, principal_id: UUID, by: SignedInBy = SignedInBy.PASSWORD_AND_CODE) -> dict[str, str]:
        secret = sessions.open_session(self.ground, principal_id, by)
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return {"name": "lpg", "value": signer.dumps({"secret": secret}), "url": self.address}


@pytest.fixture
def house(app: Flask, ground: Ground, desk: Desk) -> Iterator[House]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield (made := House(f"http://127.0.0.1:{server.server_port}", app, ground, desk, server))
    made.stop()
    thread.join()


@dataclass
class Browse:
    browser: Browser
    address: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def forgives(self, part: str) -> None:
        """This test takes the network away: failed loads that say this are no complaint."""
        self.forgiven.append(part)

    def page(self, cookie: dict[str, str] | None = None, **options: Any) -> Page:
        """A new page, as another person's browser: its own cookies (``java_script_enabled=False`` …)"""
        context = self.browser.new_context(
            **{"viewport": {"width": 1366, "height": 768}, "locale": "zh-CN"} | options
        )
        context.set_default_timeout(PATIENCE_MS)
        if cookie is not None:
            context.add_cookies([cookie])  # type: ignore[list-item]
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        return page

    def _heard(self, message: Any) -> None:
        # a refusal is an answer (409), a wrong field too (422): the browser logs them as failed loads
        expected = message.text.startswith("Failed to load resource") and any(
            part in message.text
            for part in (*self.forgiven, *(f" {status} " for status in (404, 409, 422, 429, 503)))
        )
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"another origin was asked: {url}")

    def is_accessible(self, page: Page, *, strong_contrast: bool = False) -> None:
        """``strong_contrast``: 7:1 too, for who reads in the sun, asked in the same walk over the page."""
        try:
            found = self._violations(page, strong_contrast)
        except Error as left:  # a page that was just leaving: the one that comes is meant
            if "context was destroyed" not in left.message:
                raise
            found = self._violations(page, strong_contrast)
        assert found == []

    def _violations(self, page: Page, strong_contrast: bool) -> list[str]:
        page.wait_for_load_state()
        page.evaluate(AXE)
        found: list[str] = page.evaluate(
            "([tags, strong]) => axe.run(document, {runOnly: {type: 'tag', values: tags}, "
            "resultTypes: ['violations'], rules: {'color-contrast-enhanced': {enabled: strong}}})"
            ".then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + "
            "n.failureSummary).join(' | ')))",
            [AXE_TAGS, strong_contrast],
        )
        return found

    def reflows(self, page: Page, width: int = 320) -> None:
        """Nothing has to be scrolled sideways: on the smallest phone, there in large type, and at 200 %."""
        before = page.viewport_size
        for wide, large in ((width, ""), (width, "large"), (683, "")):
            page.set_viewport_size({"width": wide, "height": 640})
            page.evaluate("step => document.documentElement.className = step", large)
            over = page.evaluate(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, f"{over} px too wide at {wide} px {large}"
        page.evaluate("() => document.documentElement.className = ''")
        if before is not None:
            page.set_viewport_size(before)

    def shot(self, page: Page, name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def browse(chromium: Browser, house: House) -> Iterator[Browse]:
    made = Browse(chromium, house.address)
    yield made
    for context in made.contexts:
        context.close()
    assert made.complaints == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)

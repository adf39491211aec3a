"""From a gun's Enter to a painted verdict, in a real browser at the station's terminal.

By turns with a bare round trip of the same page (a small file, fetched and painted in the same way), so
that what the machine, the browser and the socket cost can be told from what the question costs. The
application is served by Werkzeug's threads in this process, on a database of the stand.
"""

import argparse
import os
import shutil
import statistics
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from werkzeug.serving import WSGIRequestHandler, make_server

from bench.operation import WrongOutcome, doing_as
from bench.report import Circumstances
from bench.stand import House, stand
from bench.town import OVERDUE_EVERY, Town, is_overdue
from core import clock, sessions
from core.sessions import SignedInBy

USUAL, WARM_UP, BOTTLES = 25, 5, 500
NO_BROWSER = (
    "no chromium here: apt install chromium (the terminal is measured in a real browser or not at all)"
)

# Armed before the keys are pressed: the clock starts when Enter is struck and stops two frames after the
# verdict has its colour, when it is on the glass.
_ARM = """() => {
  const verdict = document.getElementById("verdict");
  document.getElementById("code").focus();
  window.painted = new Promise((done) => {
    let struck = 0;
    document.addEventListener("keydown", function heard(event) {
      if (event.key !== "Enter") return;
      document.removeEventListener("keydown", heard, true);
      struck = event.timeStamp;
    }, true);
    const seen = new MutationObserver(() => {
      const state = ["allowed", "refused", "grey", "wrong"].find((one) => verdict.classList.contains(one));
      if (!struck || !state || verdict.classList.contains("waiting")) return;
      seen.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => done([performance.now() - struck, state])));
    });
    seen.observe(verdict, { attributes: true, attributeFilter: ["class"] });
  });
}"""
_BARE = """async () => {
  const begun = performance.now();
  const answer = await fetch("/static/icon.svg", { cache: "no-store" });
  if (!answer.ok) throw new Error(`expected the file, got ${answer.status}`);
  await answer.text();
  return new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun))));
}"""


@dataclass(slots=True)
class Terminal:
    """Milliseconds, each in the order in which it was measured."""

    verdict: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(self.verdict) / statistics.median(self.bare)


def measure(page: Any, town: Town, count: int) -> Terminal:
    found = Terminal()
    for turn in range(WARM_UP + count):
        figures = (_verdict(page, town, turn), float(page.evaluate(_BARE)))
        if turn >= WARM_UP:
            found.verdict.append(figures[0])
            found.bare.append(figures[1])
    return found


def _verdict(page: Any, town: Town, turn: int) -> float:
    number = turn % len(town.codes)
    page.evaluate(_ARM)
    page.keyboard.type(town.codes[number], delay=0)
    page.keyboard.press("Enter")
    took_ms, state = page.evaluate("() => window.painted")
    expected = "refused" if is_overdue(number) else "allowed"
    if state != expected:
        raise WrongOutcome(f"{town.codes[number]}: expected the verdict {expected}, got {state}")
    return float(took_ms)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Our own log says it."""


@contextmanager
def _served(house: House) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _cookie(house: House, town: Town, address: str) -> dict[str, str]:
    principal = doing_as(house, town.filler).actor.principal_id
    secret = sessions.open_session(house.ground, principal, SignedInBy.PASSWORD)
    signer = house.app.session_interface.get_signing_serializer(house.app)  # type: ignore[attr-defined]
    return {"name": "lpg", "value": signer.dumps({"secret": secret}), "url": address}


def in_browser(chromium: str, house: House, town: Town, count: int) -> Terminal:
    from playwright.sync_api import sync_playwright  # of the [dev] packages

    with _served(house) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        context.add_cookies([_cookie(house, town, address)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{address}/station/")
        found = measure(page, town, count)
        browser.close()
    return found


def printed(circumstances: Circumstances, found: Terminal, bottles: int) -> str:
    turns = f"{len(found.verdict)} turns after {WARM_UP} left out"
    lines = [
        f"{clock.stamp(circumstances.at)}  {circumstances.cores} cores, load {circumstances.load:.1f} before",
        f"{bottles} bottles, one in {OVERDUE_EVERY} overdue; {turns}",
        "",
        f"  {'ms':<42}{'median':>9}{'least':>9}{'most':>9}",
    ]
    named = (("Enter to a painted verdict", found.verdict), ("a bare round trip, painted", found.bare))
    for name, figures in named:
        middle = statistics.median(figures)
        lines.append(f"  {name:<42}{middle:>9.1f}{min(figures):>9.1f}{max(figures):>9.1f}")
    lines.append(f"  {'verdict / bare, median by median':<42}{found.ratio:>9.1f}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.terminal", description=__doc__)
    parser.add_argument("--turns", type=int, default=USUAL, help=f"usually {USUAL}")
    parser.add_argument("--bottles", type=int, default=BOTTLES, help=f"on file; usually {BOTTLES}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    if min(wanted.turns, wanted.bottles) < 1:
        parser.error("expected at least one turn and one bottle")
    chromium = shutil.which("chromium", path=os.environ.get("PATH", ""))
    if chromium is None:
        print(NO_BROWSER, file=sys.stderr)
        return 1
    circumstances = Circumstances.here()
    with stand(0, wanted.bottles) as built, built.house(built.clone()) as house:
        circumstances.server = built.server_settings()
        found = in_browser(chromium, house, built.town, wanted.turns)
    print(printed(circumstances, found, wanted.bottles))
    if wanted.json is not None:
        figures = {"circumstances": circumstances, "ratio": found.ratio}
        figures |= {"verdict_ms": found.verdict, "bare_ms": found.bare}
        wanted.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every setting, read once from LPG_* variables into one frozen value.

A wrong setting stops the start with one line that names it and says what was expected. An LPG_* variable
that we do not know is wrong too: a misspelt LPG_DATABASE_URL must not quietly start an empty database.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent

SETTINGS = {
    "LPG_DATABASE_URL": "PostgreSQL 15 or newer for the application's role; absent: one is brought along",
    "LPG_OWNER_URL": "the same database for the role that owns the schema and migrates; LPG_DATABASE_URL",
    "LPG_STATE_DIR": "folder of all that must outlive a restart; .lpg in the checkout",
    "LPG_KEYRING_PATH": "the keys that seal personal data and sign; keyring.json in LPG_STATE_DIR",
    "LPG_BIND_HOST": "address to listen on; 127.0.0.1",
    "LPG_BIND_PORT": "port to listen on; 8105",
    "LPG_WORKERS": "server processes; one for each core",
    "LPG_THREADS": "threads, and database connections, of each process; 4",
    "LPG_LOG_LEVEL": "debug, info, warning or error; info",
    "LPG_PUBLIC_URL": "how the world reaches us, as printed into labels; http:// and what we listen on",
    "LPG_MESSAGES": "where text messages go: file (messages.jsonl, there), console, http or off; file",
    "LPG_MESSAGE_URL": "the gateway's address, to which http posts each message; https, or on this machine",
    "LPG_MESSAGE_TOKEN": "what http shows the gateway as its bearer token; absent: nothing",
    "LPG_HOTLINE": "the telephone number that pages and refusals name for help; absent: named without one",
    "LPG_PER_ADDRESS_HOUR": "codes, or registrations from home, that an address may ask for in an hour; 30",
    "LPG_PER_ADDRESS_DAY": "the same in a day (carriers and estates have many behind one address); 200",
    "LPG_PROXIES": "how many proxies of yours pass requests on (they set X-Forwarded-For and -Proto); 0",
    "LPG_METRICS": "who may read /metrics: loopback (this machine, not by a proxy), open or off; loopback",
    "LPG_OSRM_URL": "an OSRM server of yours for street times; absent: the great circle times 1.35",
    "LPG_MAP_TILE_URL": "map tiles under the dispatcher's maps, with {z}, {x} and {y}; absent: none",
    "LPG_MAP_LABEL_URL": "tiles of names over them, where a map has its own; absent: none",
    "LPG_MAP_TILE_DATUM": "the datum of both: wgs84 (CGCS2000 is the same) or gcj02; wgs84",
    "LPG_MAP_ATTRIBUTION": "what the map's licence wants to be said on it (审图号); absent: nothing",
    "LPG_DEMO_CLOCK": "1 to let the demo set the clock, 0 not to; never with LPG_DATABASE_URL; 0",
}

LOG_LEVELS = ("debug", "info", "warning", "error")
METRICS_READERS = ("off", "loopback", "open")
TILE_DATUMS = ("wgs84", "gcj02")
MESSAGE_SINKS = ("file", "console", "http", "off")
THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
DATABASE_SCHEMES = ("postgresql", "postgresql+psycopg")

T = TypeVar("T")


class WrongSetting(Exception):
    """Settings that cannot be used: one line each, for the person who starts the program."""


@dataclass(frozen=True, slots=True)
class Config:
    database_url: str | None = field(repr=False)  # may carry a password; None: the embedded server
    owner_url: str | None = field(repr=False)
    state_dir: Path
    keyring_path: Path
    bind_host: str
    bind_port: int
    workers: int
    threads: int
    log_level: str
    public_url: str  # without a slash at its end
    messages: str
    metrics: str
    proxies: int
    osrm_url: str | None  # without a slash at its end
    demo_clock: bool
    map_tile_url: str | None = None
    map_label_url: str | None = None
    map_tile_datum: str = "wgs84"
    map_attribution: str = ""
    message_url: str | None = None
    message_token: str | None = field(default=None, repr=False)
    hotline: str = ""
    per_address_hour: int = 30
    per_address_day: int = 200


def read(environ: Mapping[str, str] = os.environ) -> Config:
    """Raises WrongSetting with every wrong setting, a line each."""
    form = _Form(environ)
    form.refuse_unknown()
    database_url = form.take("LPG_DATABASE_URL", _database_url, None)
    state_dir = form.take("LPG_STATE_DIR", _path, CHECKOUT / ".lpg")
    bind_host = form.take("LPG_BIND_HOST", _host, "127.0.0.1")
    bind_port = form.take("LPG_BIND_PORT", _whole("a port", 1, 65535), 8105)
    config = Config(
        database_url=database_url,
        owner_url=form.take("LPG_OWNER_URL", _database_url, database_url),
        state_dir=state_dir,
        keyring_path=form.take("LPG_KEYRING_PATH", _path, state_dir / "keyring.json"),
        bind_host=bind_host,
        bind_port=bind_port,
        workers=form.take("LPG_WORKERS", _whole("a number", 1, 256), len(os.sched_getaffinity(0))),
        threads=form.take("LPG_THREADS", _whole("a number", 1, 256), 4),
        log_level=form.take("LPG_LOG_LEVEL", _one_of(LOG_LEVELS), "info"),
        public_url=form.take("LPG_PUBLIC_URL", _public_url, _address(bind_host, bind_port)),
        messages=form.take("LPG_MESSAGES", _one_of(MESSAGE_SINKS), "file"),
        proxies=form.take("LPG_PROXIES", _whole("a number", 0, 9), 0),
        metrics=form.take("LPG_METRICS", _one_of(METRICS_READERS), "loopback"),
        osrm_url=form.take("LPG_OSRM_URL", _public_url, None),
        demo_clock=form.take("LPG_DEMO_CLOCK", _switch, False),
        map_tile_url=form.take("LPG_MAP_TILE_URL", _tile_url, None),
        map_label_url=form.take("LPG_MAP_LABEL_URL", _tile_url, None),
        map_tile_datum=form.take("LPG_MAP_TILE_DATUM", _one_of(TILE_DATUMS), "wgs84"),
        map_attribution=form.take("LPG_MAP_ATTRIBUTION", str, ""),
        message_url=form.take("LPG_MESSAGE_URL", _gateway_url, None),
        message_token=form.take("LPG_MESSAGE_TOKEN", _token, None),
        hotline=form.take("LPG_HOTLINE", _telephone, ""),
        per_address_hour=form.take("LPG_PER_ADDRESS_HOUR", _whole("a number", 1, 100_000), 30),
        per_address_day=form.take("LPG_PER_ADDRESS_DAY", _whole("a number", 1, 1_000_000), 200),
    )
    if config.owner_url and "LPG_DATABASE_URL" not in environ:
        form.wrong.append("LPG_OWNER_URL: expected LPG_DATABASE_URL beside it")
    if config.demo_clock and "LPG_DATABASE_URL" in environ:
        form.wrong.append("LPG_DEMO_CLOCK: expected to be absent, for LPG_DATABASE_URL is set")
    if config.messages == "http" and "LPG_MESSAGE_URL" not in environ:
        form.wrong.append("LPG_MESSAGE_URL: expected the gateway's address, for LPG_MESSAGES is http")
    if form.wrong:
        raise WrongSetting("\n".join(form.wrong))
    return config


def settings_text() -> str:
    """The settings for a `--help`: name, meaning; what holds when it is absent."""
    return "\n".join(f"  {name:<20} {meaning}" for name, meaning in SETTINGS.items())


class _Expected(Exception):
    """What a setting should have been; `got` where the value itself is not to be shown."""

    def __init__(self, what: str, got: str | None = None) -> None:
        self.what, self.got = what, got


class _Form:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.wrong: list[str] = []

    def take(self, name: str, understood: Callable[[str], T], absent: T) -> T:
        if name not in self.environ:
            return absent
        given = self.environ[name]
        try:
            return understood(given)
        except _Expected as expected:
            got = repr(given) if expected.got is None else expected.got
            self.wrong.append(f"{name}: expected {expected.what}, got {got}")
            return absent

    def refuse_unknown(self) -> None:
        for name in sorted(self.environ):
            if name.startswith("LPG_") and name not in SETTINGS:
                near = difflib.get_close_matches(name, SETTINGS, n=1)
                self.wrong.append(f"{name}: no such setting" + (f"; is {near[0]} meant?" if near else ""))


def _whole(noun: str, least: int, most: int) -> Callable[[str], int]:
    def understood(given: str) -> int:
        # int() would also take "٣", "1_000" and " 7 ".
        if re.fullmatch("[0-9]{1,9}", given) and least <= int(given) <= most:
            return int(given)
        raise _Expected(f"{noun} between {least} and {most}")

    return understood


def _database_url(given: str) -> str:
    scheme, found, rest = given.partition("://")
    if not found or scheme not in DATABASE_SCHEMES or not rest.strip("/"):
        # The rest of it may hold a password.
        raise _Expected("postgresql://role:password@host/dbname", f"{scheme}://…" if found else "no address")
    return f"postgresql+psycopg://{rest}"


def _path(given: str) -> Path:
    if not given.strip():
        raise _Expected("a path")
    return Path(given).expanduser().absolute()


def _host(given: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.:_-]+", given):
        raise _Expected("a host name or address")
    return given


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def understood(given: str) -> str:
        if given.lower() not in words:
            raise _Expected(f"one of {', '.join(words)}")
        return given.lower()

    return understood


def _public_url(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise _Expected("an address like https://lpg.example.org")
    return given.rstrip("/")


def _gateway_url(given: str) -> str:
    """Numbers and codes go there: never in the clear to another machine."""
    parts = urlsplit(given)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in THIS_MACHINE)
    if not is_safe or not parts.hostname or parts.username or re.search(r"\s", given):
        # The rest of it may hold a key.
        raise _Expected("an address like https://sms.example.org/send", f"{parts.scheme}://…")
    return given


def _token(given: str) -> str:
    if not re.fullmatch(r"[!-~]{1,500}", given):
        raise _Expected("printable ASCII without spaces", "something else")
    return given


def _telephone(given: str) -> str:
    if not re.fullmatch(r"\+?[0-9][0-9 -]{1,18}[0-9]", given):
        raise _Expected("a telephone number: digits, spaces and hyphens")
    return given


def _tile_url(given: str) -> str:
    """It goes into the policy of what a page may load: an origin that can be named, nothing beside it."""
    parts = urlsplit(given)
    is_whole = all(hole in given for hole in ("{z}", "{x}", "{y}")) and "{" not in parts.netloc
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.:-]+", parts.netloc):
        is_whole = False
    if not is_whole or re.search(r"[\s;,'\"<>]", given):
        # The rest of it may hold a key.
        raise _Expected("an address like https://tiles.example.org/{z}/{x}/{y}.png", "another")
    return given


def _switch(given: str) -> bool:
    if given not in ("0", "1"):
        raise _Expected("0 or 1")
    return given == "1"


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

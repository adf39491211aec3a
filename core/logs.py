"""What the house says of itself while it runs: lines of JSON, none of which is about a person.

The words of our own lines are chosen by us. Nothing else is trusted to be free of somebody's data: of an
exception only its kind and its places are told, never its message (a KeyError's is the key, a database
error's the row); of a library's line only the template, never what was put into it.
"""

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import DBAPIError

from core.config import CHECKOUT

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

log = structlog.get_logger()

INNERMOST = 15  # places told of each exception
LONGEST_CHAIN = 6

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure() -> None:
    """How every line of ours is written."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(told),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        cache_logger_on_first_use=True,
    )


def take_over() -> None:
    """In a serving worker: what libraries and dying threads would print becomes lines of ours."""
    logging.basicConfig(handlers=[Library()], level=logging.WARNING, force=True)
    threading.excepthook = lambda args: _died(args.exc_value)
    sys.unraisablehook = _unraisable


def told(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """An exception and those it came from, the outermost first: kind, and where. No message, no locals."""
    chain: list[dict[str, Any]] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(chain) < LONGEST_CHAIN:
        chain.append({"kind": _kind(error), **_of_database(error), "at": _places(error)})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _of_database(error: BaseException) -> dict[str, str]:
    """Words of the schema, which are ours; the detail holds the row's values and stays untold."""
    original = error.orig if isinstance(error, DBAPIError) else error
    diag = getattr(original, "diag", None)
    words = {
        "sqlstate": getattr(original, "sqlstate", None),
        "constraint": getattr(diag, "constraint_name", None),
        "table": getattr(diag, "table_name", None),
    }
    return {name: word for name, word in words.items() if isinstance(word, str)}


def _places(error: BaseException) -> list[str]:
    """Where it passed through code of ours, and the place itself if it was a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    passed = [frame for i, frame in enumerate(frames) if _is_ours(frame) or i == len(frames) - 1]
    return [f"{_short(frame)}:{frame.lineno} {frame.name}" for frame in passed[-INNERMOST:]]


def _is_ours(frame: traceback.FrameSummary) -> bool:
    path = Path(frame.filename)
    return path.is_relative_to(CHECKOUT) and "site-packages" not in path.parts


def _short(frame: traceback.FrameSummary) -> str:
    return str(Path(frame.filename).relative_to(CHECKOUT)) if _is_ours(frame) else frame.filename


class Library(logging.Handler):
    """A library's line as one of ours: who says it, where in its code, and the template it used."""

    def emit(self, record: logging.LogRecord) -> None:
        # without arguments the sentence was made before it came here, and may hold anything
        template = record.msg if record.args and isinstance(record.msg, str) else None
        log.log(
            record.levelno,
            "library",
            logger=record.name,
            at=f"{record.pathname}:{record.lineno}",
            template=template,
            exc_info=record.exc_info or None,
        )


def _died(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        log.error("thread.died", exc_info=(type(error), error, error.__traceback__))


def _unraisable(args: "UnraisableHookArgs") -> None:
    if args.exc_value is not None:
        log.error("unraisable", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

"""What is kept no longer than its term, in every room: people's data, positions, what imports leave lying."""

import structlog

import oversight.reviews  # noqa: F401 (a review that is undecided holds its person: terms.holds)
from core.ground import Ground
from cylinders import import_leftovers
from dispatch.rounds import positions
from registry import retention

log = structlog.get_logger()


def retain(ground: Ground) -> dict[str, int]:
    """Whatever is over its term now; how many went. Broken off, it goes on the next time."""
    left = {
        "import_files": import_leftovers.forget_files(ground),
        "staged_imports": import_leftovers.forget_staged(ground),
        "positions": positions.forget(ground),
    }
    if any(left.values()):
        log.info("leftovers", **left)
    return retention.retain(ground) | left

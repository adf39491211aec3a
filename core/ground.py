"""What a running process stands on: its settings, its database sessions, its keys."""

from dataclasses import dataclass, field

from core.config import Config
from core.db import Sessions, reading_sessions
from core.sealed import Keyring


@dataclass(frozen=True, slots=True)
class Ground:
    """``reads``: sessions for look-ups of few statements, without the round trips of a transaction."""

    config: Config
    sessions: Sessions
    keyring: Keyring
    reads: Sessions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", reading_sessions(self.sessions))

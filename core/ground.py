"""What a running process stands on: its settings, its database sessions, its keys."""

from dataclasses import dataclass

from core.config import Config
from core.db import Sessions
from core.sealed import Keyring


@dataclass(frozen=True, slots=True)
class Ground:
    config: Config
    sessions: Sessions
    keyring: Keyring

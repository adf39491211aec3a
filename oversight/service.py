"""Verbs of oversight, and the handlers of what the rooms below tell."""

from core.ground import Ground
from core.outbox import Event


def raise_tip(ground: Ground, event: Event) -> None:
    raise NotImplementedError

"""May this account pass to another member of the home? Asked when it is applied for, and when it is approved.

A moratorium bars new users and changes of hand (A02, A03). A home whose registrant died or moved out is no
new user: the account stays the same one, and passes inside the home by two persons (J04).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from core.refusal import Refusal
from registry import succession_refusals as no
from registry.models import UserClass
from registry.states import AccountState
from registry.succession_models import SuccessionGround
from rulebook.edition import Law
from rulebook.gate import gate


@dataclass(frozen=True, slots=True)
class SuccessionFacts:
    """``of_this_holder``: the registrant is still the one it was asked about. ``by_asker``: who approves is
    who asked. ``open_lines``: order lines of the home not yet done with."""

    ground: SuccessionGround
    user_class: UserClass
    account_state: AccountState
    of_this_holder: bool
    by_asker: bool
    open_lines: int


@gate("account.succeed", facts=SuccessionFacts)
def succession_refusals(c: SuccessionFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against: J04."""
    # J04 inside a home, on a ground the rulebook names, from the registrant it was asked about
    if c.user_class is not UserClass.RESIDENT:
        yield no.SUCCESSION_OF_BUSINESS()
    if c.ground not in law.words("J04.grounds"):
        yield no.SUCCESSION_GROUND(ground=c.ground)
    if c.account_state is AccountState.CLOSED:
        yield no.SUCCESSION_OF_CLOSED()
    if not c.of_this_holder:
        yield no.SUCCESSION_OVERTAKEN()

    # asked by one, approved by another; and nothing is on its way to whoever held it
    if c.by_asker:
        yield no.SUCCESSION_SAME_PERSON()
    if c.open_lines:
        yield no.SUCCESSION_ORDER_OPEN(lines=c.open_lines)

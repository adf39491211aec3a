"""What a person's act changes: accounts and cards. What a date changes is computed, never stored."""

from enum import StrEnum

from core.machine import Machine, Move


class AccountState(StrEnum):
    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class PrivacyRequestState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class SuccessionState(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class CardState(StrEnum):
    ACTIVE = "active"
    BLOCKED = "blocked"
    LOST = "lost"
    CLOSED = "closed"


ACCOUNT = Machine(
    "account",
    "account",
    AccountState.OPEN,
    [
        Move("suspend", AccountState.OPEN, AccountState.SUSPENDED),
        Move("resume", AccountState.SUSPENDED, AccountState.OPEN),
        Move("close", AccountState.OPEN, AccountState.CLOSED),
        Move("close", AccountState.SUSPENDED, AccountState.CLOSED),
    ],
)

# A lost or blocked card comes back with a new credential; the card's id stays for life.
CARD = Machine(
    "card",
    "card",
    CardState.ACTIVE,
    [
        Move("report_lost", CardState.ACTIVE, CardState.LOST),
        Move("block", CardState.ACTIVE, CardState.BLOCKED),
        Move("replace", CardState.LOST, CardState.ACTIVE),
        Move("unblock", CardState.BLOCKED, CardState.ACTIVE),
        Move("close", CardState.ACTIVE, CardState.CLOSED),
        Move("close", CardState.LOST, CardState.CLOSED),
        Move("close", CardState.BLOCKED, CardState.CLOSED),
    ],
)

PRIVACY_REQUEST = Machine(
    "privacy request",
    "privacy_request",
    PrivacyRequestState.ASKED,
    [
        Move("grant", PrivacyRequestState.ASKED, PrivacyRequestState.GRANTED),
        Move("decline", PrivacyRequestState.ASKED, PrivacyRequestState.DECLINED),
        Move("withdraw", PrivacyRequestState.ASKED, PrivacyRequestState.WITHDRAWN),
    ],
)


class ProxyState(StrEnum):
    NAMED = "named"
    AGREED = "agreed"
    TURNED_DOWN = "turned_down"
    ENDED = "ended"


# Named by one, answered by the other; ended by either.
PROXY_CONSENT = Machine(
    "consent to a proxy",
    "proxy_consent",
    ProxyState.NAMED,
    [
        Move("agree", ProxyState.NAMED, ProxyState.AGREED),
        Move("turn_down", ProxyState.NAMED, ProxyState.TURNED_DOWN),
        Move("end", ProxyState.NAMED, ProxyState.ENDED),
        Move("end", ProxyState.AGREED, ProxyState.ENDED),
    ],
)


# Who asked neither approves nor rejects: rule J04 and a constraint of the table say so.
SUCCESSION = Machine(
    "succession",
    "succession",
    SuccessionState.ASKED,
    [
        Move("approve", SuccessionState.ASKED, SuccessionState.APPROVED),
        Move("reject", SuccessionState.ASKED, SuccessionState.REJECTED),
        Move("withdraw", SuccessionState.ASKED, SuccessionState.WITHDRAWN),
    ],
)


class ConversionState(StrEnum):
    ANNOUNCED = "announced"
    UNDER_WAY = "under_way"
    CONVERTED = "converted"
    DROPPED = "dropped"


# A plan is converted when none of its accounts is left (rule C01).
CONVERSION = Machine(
    "conversion plan",
    "conversion_plan",
    ConversionState.ANNOUNCED,
    [
        Move("begin", ConversionState.ANNOUNCED, ConversionState.UNDER_WAY),
        Move("finish", ConversionState.UNDER_WAY, ConversionState.CONVERTED),
        Move("drop", ConversionState.ANNOUNCED, ConversionState.DROPPED),
        Move("drop", ConversionState.UNDER_WAY, ConversionState.DROPPED),
    ],
)


class BannedUseState(StrEnum):
    FOUND = "found"
    TOLD = "told"
    JOINT = "joint"
    CLEARED = "cleared"
    DISMISSED = "dismissed"


# A notice with its day; after that day several departments go together.
BANNED_USE = Machine(
    "banned use",
    "banned_use",
    BannedUseState.FOUND,
    [
        Move("notify", BannedUseState.FOUND, BannedUseState.TOLD),
        Move("dismiss", BannedUseState.FOUND, BannedUseState.DISMISSED),
        Move("clear_jointly", BannedUseState.TOLD, BannedUseState.JOINT),
        Move("clear", BannedUseState.TOLD, BannedUseState.CLEARED),
        Move("clear", BannedUseState.JOINT, BannedUseState.CLEARED),
    ],
)


class RosterState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"


# A proposal binds nobody. A confirmed roster is never changed: another is confirmed in its place.
ROSTER = Machine(
    "roster",
    "roster",
    RosterState.PROPOSED,
    [
        Move("confirm", RosterState.PROPOSED, RosterState.CONFIRMED),
        Move("replace", RosterState.CONFIRMED, RosterState.REPLACED),
    ],
)

"""How often anybody may look at bottles who is not signed in, and the alarm when somebody tries codes.

Counted by address in a table, so that it holds over workers and restarts; of IPv6 by the network a house has.
A code is one of 32^11, so that nobody hits one by trying; an address that tries is stopped for the hour all
the same, before anything is looked up, and every district with bottles is told once.
"""

import ipaddress
from datetime import datetime, timedelta

from core import clock, limits
from core.auth import Actor, Reach, Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.limits import Limit
from core.outbox import HOUSE
from core.problems import TooMany
from cylinders.public_queries import districts_served
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from oversight.models import CodeProbe

LOOKS = Limit("public.looks", 120, timedelta(minutes=10))
LOOKS_A_DAY = Limit("public.looks_day", 1000, timedelta(days=1))
UNCONFIRMED = Limit("public.unconfirmed", 20, timedelta(hours=1))
REPORTS = Limit("public.reports", 5, timedelta(hours=1))
REPORTS_OF_CODE = Limit("public.reports_of_code", 10, timedelta(days=1))

CODES_PROBED = "code.probed"


def admit(ground: Ground, address: str) -> None:
    """Count one look; ``TooMany`` for who looks too often, or has tried too many codes within the hour."""
    asker = network_of(address)
    limits.count(ground, LOOKS, asker)
    limits.count(ground, LOOKS_A_DAY, asker)
    limits.must_not_be_spent(ground, UNCONFIRMED, asker)


def count_unconfirmed(ground: Ground, address: str) -> None:
    """One more code that is nobody's; the one too many raises the alarm, once an hour."""
    asker = network_of(address)
    try:
        limits.count(ground, UNCONFIRMED, asker)
    except TooMany:
        _raise_alarm(ground, asker)
        raise


def admit_report(ground: Ground, address: str, code: str) -> None:
    limits.count(ground, REPORTS, network_of(address))
    limits.count(ground, REPORTS_OF_CODE, code)


def network_of(address: str) -> str:
    """One house, as far as an address tells: an IPv6 asker has a whole /64 to come from."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(read, ipaddress.IPv6Address) and read.ipv4_mapped is None:
        return str(ipaddress.ip_network((read, 64), strict=False))
    return str(getattr(read, "ipv4_mapped", None) or read)


def _raise_alarm(ground: Ground, asker: str) -> None:
    seen_from = limits.subject_of(ground, UNCONFIRMED, asker)
    window_from = limits.window(clock.now(), UNCONFIRMED.within)
    with ground.reads() as db:
        districts = districts_served(db)
    for district in districts:
        key = f"probe-{seen_from.hex()}-{window_from:%Y%m%d%H}-{district}"
        actor = Actor(HOUSE, Reach(Role.ADMINISTRATOR, ScopeKind.ALL, "", district), district)
        doing = Doing(ground, actor, district, request_id=key, key=key, fingerprint=seen_from)
        record_probe(doing, seen_from=seen_from, window_from=window_from)


@does("code.record_probe")
def record_probe(deed: Deed, *, seen_from: bytes, window_from: datetime) -> Answer:
    deed.about(SubjectType.REGISTER, str(deed.district))
    probe = CodeProbe(
        district=deed.district,
        id=new_id(),
        seen_from=seen_from,
        window_from=window_from,
        unconfirmed=UNCONFIRMED.most + 1,
        found_at=deed.recorded_at,
    )
    deed.db.add(probe)
    deed.note(probe_id=probe.id, unconfirmed=probe.unconfirmed)
    deed.tell(CODES_PROBED, probe_id=probe.id, unconfirmed=probe.unconfirmed, seen_at=deed.recorded_at)
    return {"probe_id": str(probe.id)}

"""What the rooms above may do with bottles within their own open deed. Nothing here opens or commits.

Each act that moves a bottle locks it (or expects it locked by ``lock``), checks that whoever hands it on
holds it, adds a fact of custody and moves the projection. Lock order: cards before bottles, bottles by
ascending id, then a bottle's recall tasks, then their recalls, and holdings last.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.machine import LOST_RACE
from core.problems import NotFound
from core.refusal import Refusal, Refused
from cylinders import custody_refusals as no_custody
from cylinders import recall_tasks
from cylinders import refusals as no
from cylinders.custody import Custody, Errand, Holder, record
from cylinders.holds import stands_held
from cylinders.life_models import Seizure
from cylinders.models import CustodyFact, Cylinder, CylinderCustody, FactKind, Scrapping
from cylinders.queries import Resolved, custody_of, holding_of
from cylinders.states import CylinderState
from evidence.deed import Deed
from evidence.models import SubjectType
from registry.models import Binding, Card, HolderKind

STRANGER_SEEN = "cylinder.stranger_seen"


def lock(deed: Deed, cylinder_ids: Iterable[UUID]) -> dict[UUID, Cylinder]:
    """Lock these bottles, by ascending id; the deed is about them. An id that is no bottle's is NotFound."""
    wanted = sorted(set(cylinder_ids))
    locked = deed.db.scalars(
        sa.select(Cylinder)
        .where(Cylinder.cylinder_id.in_(wanted))
        .order_by(Cylinder.cylinder_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(locked) != len(wanted):
        raise NotFound
    for cylinder in locked:
        deed.about(SubjectType.CYLINDER, cylinder.cylinder_id)
        _name_import(deed, cylinder)
    return {cylinder.cylinder_id: cylinder for cylinder in locked}


def load(
    deed: Deed,
    *,
    cylinder_id: UUID,
    line_id: UUID,
    courier_id: UUID,
    site_id: UUID,
    binding: Binding,
    round_id: UUID,
    device_id: UUID | None = None,
) -> Custody:
    """装车: site → courier. The bottle must be full, at that site and held by nobody.

    The caller judges the load and the dispatch gates; this is the last fence.
    """
    cylinder = lock(deed, [cylinder_id])[cylinder_id]
    custody = custody_of(deed.db, cylinder_id)
    _refuse(
        cylinder_id,
        [
            *_where_it_is_not(custody, Holder(HolderKind.SITE, site_id)),
            *_not_full(custody),
            *_held_back(deed, cylinder),
        ],
    )
    return record(
        deed,
        cylinder,
        FactKind.LOAD,
        giver=Holder(HolderKind.SITE, site_id),
        taker=Holder(HolderKind.COURIER, courier_id),
        errand=Errand(
            site_id=site_id,
            binding=binding,
            round_id=round_id,
            line_id=line_id,
            device_id=device_id or binding.device_id,
        ),
    )


def swap(
    deed: Deed,
    *,
    full_id: UUID,
    empty_id: UUID | None,
    card: Card,
    courier_id: UUID,
    household_id: UUID,
    binding: Binding,
    round_id: UUID,
    line_id: UUID,
    occurred_at: datetime | None = None,
) -> Custody:
    """换瓶: the card's empty household → courier, the full one courier → household, on the same card.

    The caller has locked the card. Without an empty (first supply, or the bottle is gone) a bottle still
    on the card is written down as missing, so that the card holds the new one only.
    """
    held_id = holding_of(deed.db, card.district, card.id)
    bottles = lock(deed, {full_id, empty_id or full_id, held_id or full_id})
    if holding_of(deed.db, card.district, card.id) != held_id:
        raise Refused([LOST_RACE(thing="cylinder")])
    courier, household = Holder(HolderKind.COURIER, courier_id), Holder(HolderKind.HOUSEHOLD, household_id)
    full_now = custody_of(deed.db, full_id)
    _refuse(full_id, [*_where_it_is_not(full_now, courier), *_not_full(full_now)])
    if empty_id is not None and empty_id != held_id:
        raise Refused([no_custody.NOT_ON_CARD(cylinder_id=empty_id, card_id=card.id)])
    errand = Errand(
        binding=binding, round_id=round_id, line_id=line_id, card_id=card.id, device_id=binding.device_id
    )
    if held_id is not None:
        record(
            deed,
            bottles[held_id],
            FactKind.TAKE_EMPTY if empty_id else FactKind.MISSING,
            giver=household,
            taker=courier if empty_id else None,
            errand=errand,
            occurred_at=occurred_at,
            district=card.district,
        )
    return record(
        deed,
        bottles[full_id],
        FactKind.DELIVER,
        giver=courier,
        taker=household,
        errand=errand,
        occurred_at=occurred_at,
        district=card.district,
    )


def collect_only(
    deed: Deed,
    *,
    cylinder_id: UUID,
    card: Card,
    courier_id: UUID,
    binding: Binding | None = None,
    round_id: UUID | None = None,
    occurred_at: datetime | None = None,
) -> Custody:
    """收瓶: the card's bottle household → courier, none given for it (an account is being closed)."""
    cylinder = lock(deed, [cylinder_id])[cylinder_id]
    if holding_of(deed.db, card.district, card.id) != cylinder_id:
        raise Refused([no_custody.NOT_ON_CARD(cylinder_id=cylinder_id, card_id=card.id)])
    return record(
        deed,
        cylinder,
        FactKind.TAKE_EMPTY,
        giver=Holder(HolderKind.HOUSEHOLD, card.household_id),
        taker=Holder(HolderKind.COURIER, courier_id),
        errand=Errand(
            binding=binding,
            round_id=round_id,
            card_id=card.id,
            device_id=binding.device_id if binding else None,
        ),
        occurred_at=occurred_at,
        district=card.district,
    )


def receive(deed: Deed, *, cylinder_id: UUID, site_id: UUID, round_id: UUID | None = None) -> Custody:
    """入站: whoever had it → this site. A site that scans a bottle has it, also one that is recalled."""
    cylinder = lock(deed, [cylinder_id])[cylinder_id]
    recall_tasks.seen(deed, cylinder_id)
    return record(
        deed,
        cylinder,
        FactKind.RETURN,
        giver=holder_of(custody_of(deed.db, cylinder_id)),
        taker=Holder(HolderKind.SITE, site_id),
        errand=Errand(site_id=site_id, round_id=round_id),
    )


class StartOver(Exception):
    """A bottle's facts name a card that was not locked: somebody was faster. The whole deed runs again."""


def lock_cards_named(
    deed: Deed, cylinder_ids: Collection[UUID], cards: Iterable[tuple[int, UUID]] = ()
) -> frozenset[tuple[int, UUID]]:
    """Lock ``cards`` and every card that facts of these bottles name, ascending: before any line or bottle.

    A late fact may move a bottle between any of them. The bottles come after them (``lock_late``).
    """
    named = frozenset(cards) | _cards_named(deed.db, cylinder_ids)
    deed.db.execute(
        sa.select(Card.id)
        .where(sa.tuple_(Card.district, Card.id).in_(sorted(named)))
        .order_by(Card.id)
        .with_for_update()
    )
    return named


def lock_late(
    deed: Deed, cylinder_ids: Collection[UUID], locked: Collection[tuple[int, UUID]]
) -> dict[UUID, Cylinder]:
    """Lock these bottles and whatever else stands on the locked cards, by ascending id, and look again.

    ``StartOver`` if by now a fact names a card that is not locked.
    """
    standing = deed.db.scalars(
        sa.select(CylinderCustody.cylinder_id).where(
            sa.tuple_(CylinderCustody.district, CylinderCustody.card_id).in_(sorted(locked))
        )
    )
    deed.db.execute(
        sa.select(Cylinder.cylinder_id)
        .where(Cylinder.cylinder_id.in_({*cylinder_ids, *standing}))
        .order_by(Cylinder.cylinder_id)
        .with_for_update()
    )
    if not _cards_named(deed.db, cylinder_ids) <= set(locked):
        raise StartOver
    return lock(deed, cylinder_ids)


def _cards_named(db: Session, cylinder_ids: Collection[UUID]) -> frozenset[tuple[int, UUID]]:
    facts = sa.select(CustodyFact.district, CustodyFact.card_id).where(
        CustodyFact.cylinder_id.in_(cylinder_ids), CustodyFact.card_id.is_not(None)
    )
    return frozenset((row.district, row.card_id) for row in db.execute(facts.distinct()))


def report(
    deed: Deed,
    cylinder_id: UUID,
    kind: FactKind,
    *,
    giver: Holder | None,
    taker: Holder | None,
    errand: Errand,
    occurred_at: datetime,
    district: int | None = None,
) -> Custody:
    """What a device says has happened, placed by its time and sequence. Never refused: it happened.

    The caller has locked the cards its facts name (``lock_cards_named``), then the bottle (``lock_late``).
    """
    return record(
        deed,
        deed.db.get_one(Cylinder, cylinder_id),
        kind,
        giver=giver,
        taker=taker,
        errand=errand,
        occurred_at=occurred_at,
        district=district,
    )


def stranger_seen(
    deed: Deed,
    resolved: Resolved,
    *,
    where: str,
    site_id: UUID | None = None,
    order_id: UUID | None = None,
    round_id: UUID | None = None,
    reasons: Iterable[Refusal] = (),
    **more: str | UUID | None,
) -> None:
    """Tell the rooms above of an unknown, foreign, voided, scrapped or seized bottle.

    ``where``: "site", "door", "agency" or "road"; ``more``: the kind, the sighting, the photograph's hash.
    Told also when the deed is refused: what was seen is a fact. A code that looks like nothing of a
    bottle's is told by its hash only.
    """
    deed.tell(
        STRANGER_SEEN,
        even_if_refused=True,
        where=where,
        code=resolved.on_record,
        identity=resolved.identity,
        cylinder_id=resolved.cylinder_id,
        site_id=site_id,
        order_id=order_id,
        round_id=round_id,
        reasons=[refusal.code for refusal in reasons],
        seen_at=deed.occurred_at,
        **more,
    )


def ended(db: Session, cylinder_id: UUID | None, at: datetime) -> list[Refusal]:
    """Why the bottle should not have been anywhere at ``at`` but with an agency: scrapped, or seized."""
    if cylinder_id is None:
        return []
    scrapping, seizure = db.get(Scrapping, cylinder_id), db.get(Seizure, cylinder_id)
    was_scrapped = scrapping is not None and scrapping.recorded_at <= at
    was_seized = seizure is not None and seizure.seized_at <= at
    return [*([no.SCRAPPED()] if was_scrapped else []), *([no.SEIZED()] if was_seized else [])]


def is_stranger(reasons: Iterable[Refusal]) -> bool:
    """Is a bottle with these reasons one to report: unknown, voided, foreign, scrapped or seized?"""
    return any(refusal.reason in STRANGER_REASONS for refusal in reasons)


STRANGER_REASONS = (
    no.IDENTITY_UNKNOWN,
    no.LABEL_VOIDED,
    no.LABEL_CLAIMED_TWICE,
    no.FOREIGN_OWNED,
    no.SCRAPPED,
    no.SEIZED,
)


# --------------------------------------------------------------------------------------------------------


def _name_import(deed: Deed, cylinder: Cylinder) -> None:
    """A bulk import is one entry and stands in no bottle's chain: the bottle's own entries name it."""
    if cylinder.import_id is not None:
        deed.payload.setdefault("imports", {})[str(cylinder.cylinder_id)] = str(cylinder.import_id)


def _refuse(cylinder_id: UUID, reasons: list[Refusal]) -> None:
    if reasons:
        raise Refused([refusal.about(cylinder_id=cylinder_id) for refusal in reasons])


def holder_of(custody: CylinderCustody | None) -> Holder | None:
    if custody is None or custody.holder_kind is None or custody.holder_id is None:
        return None
    return Holder(custody.holder_kind, custody.holder_id)


def _where_it_is_not(custody: CylinderCustody | None, giver: Holder) -> list[Refusal]:
    return [] if holder_of(custody) == giver else [no_custody.NOT_WITH_GIVER()]


def _not_full(custody: CylinderCustody | None) -> list[Refusal]:
    return [] if custody is not None and custody.full else [no_custody.NOT_FULL()]


def _held_back(deed: Deed, cylinder: Cylinder) -> list[Refusal]:
    free = cylinder.state is CylinderState.IN_SERVICE and not stands_held(deed, cylinder.cylinder_id)
    return [] if free else [no_custody.HELD_BACK()]

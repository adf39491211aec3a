"""Reads of labels, each with the address that is printed on it, and of codes that two bottles carry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.paging import Page, Pager
from core.problems import NotFound
from cylinders.bottle_file_queries import must_reach_bottle
from cylinders.label_address import address, tag
from cylinders.label_models import IdentifierCollision, Label, LabelPlace, WhyLabelVoid
from cylinders.models import Cylinder, CylinderIdentifier, Scheme
from cylinders.queries import resolve
from cylinders.states import CylinderState
from registry.models import Firm

PLACE_WORDS: dict[LabelPlace, tuple[str, str]] = {
    LabelPlace.GUARD: ("护罩", "guard"),
    LabelPlace.BODY: ("瓶体", "body"),
}
WHY_WORDS: dict[WhyLabelVoid, tuple[str, str]] = {
    WhyLabelVoid.DAMAGED: ("损坏", "damaged"),
    WhyLabelVoid.MISPRINTED: ("没印好", "misprinted"),
    WhyLabelVoid.LOST: ("掉了，不知去向", "lost, nobody knows where"),
    WhyLabelVoid.ON_ANOTHER_BOTTLE: ("贴到别的瓶上了", "put on another bottle"),
    WhyLabelVoid.CODE_VOIDED: ("编码已作废", "its code was voided"),
}
CHOSEN_WHY = tuple(why for why in WhyLabelVoid if why is not WhyLabelVoid.CODE_VOIDED)


@dataclass(frozen=True, slots=True)
class LabelSeen:
    """``address`` is null once the key it was made with is retired: such a label is printed no more."""

    cylinder_id: UUID
    number: int
    place: LabelPlace
    code: str
    address: str | None
    firm: str | None
    batch_id: UUID
    issued_at: datetime
    voided_at: datetime | None
    void_reason: WhyLabelVoid | None


def labels_of(doing: Doing, cylinder_id: UUID) -> list[LabelSeen]:
    """Every label the bottle ever had, the latest first."""
    with doing.ground.sessions() as db:
        cylinder = db.get(Cylinder, cylinder_id)
        if cylinder is None:
            raise NotFound
        must_reach_bottle(db, doing, cylinder)
        rows = db.scalars(
            sa.select(Label).where(Label.cylinder_id == cylinder_id).order_by(Label.number.desc())
        )
        return _seen(db, doing.ground, list(rows))


def label(doing: Doing, cylinder_id: UUID, number: int) -> LabelSeen:
    found = next((one for one in labels_of(doing, cylinder_id) if one.number == number), None)
    if found is None:
        raise NotFound
    return found


def batch(doing: Doing, batch_id: UUID) -> list[LabelSeen]:
    """The labels of one deed as they are to be printed: by bottle, then by number."""
    with doing.ground.sessions() as db:
        rows = list(
            db.scalars(
                sa.select(Label).where(Label.batch_id == batch_id).order_by(Label.cylinder_id, Label.number)
            )
        )
        if not rows:
            raise NotFound
        owners = db.scalars(
            sa.select(Cylinder).where(Cylinder.cylinder_id.in_([one.cylinder_id for one in rows]))
        )
        for cylinder in owners:
            must_reach_bottle(db, doing, cylinder)
        return _seen(db, doing.ground, rows)


def bottle_behind(doing: Doing, scanned: str) -> UUID:
    """By any code it carries, also one that was voided: a bottle without a label is found by its stamp."""
    with doing.ground.sessions() as db:
        found = resolve(db, scanned).cylinder_id
        cylinder = db.get(Cylinder, found) if found else None
        if cylinder is None:
            raise NotFound
        must_reach_bottle(db, doing, cylinder)
        return cylinder.cylinder_id


def codes_of(doing: Doing, cylinder_id: UUID) -> Sequence[CylinderIdentifier]:
    with doing.ground.sessions() as db:
        return db.scalars(
            sa.select(CylinderIdentifier)
            .where(CylinderIdentifier.cylinder_id == cylinder_id)
            .order_by(CylinderIdentifier.scheme, CylinderIdentifier.active_from)
        ).all()


def without_labels(doing: Doing, limit: int) -> list[str]:
    """Codes of the firm's bottles that have no label at all yet, the first ones filed first."""
    firm_id = doing.actor.scope_id(ScopeKind.FIRM)
    has_one = sa.exists().where(Label.cylinder_id == Cylinder.cylinder_id)
    with doing.ground.sessions() as db:
        return list(
            db.scalars(
                sa.select(CylinderIdentifier.value)
                .join(Cylinder, Cylinder.cylinder_id == CylinderIdentifier.cylinder_id)
                .where(
                    Cylinder.owner_firm_id == firm_id,
                    Cylinder.state != CylinderState.SCRAPPED,
                    CylinderIdentifier.scheme == Scheme.PLATFORM,
                    CylinderIdentifier.voided_at.is_(None),
                    ~has_one,
                )
                .order_by(Cylinder.cylinder_id)
                .limit(limit)
            )
        )


def _seen(db: Session, ground: Ground, rows: Sequence[Label]) -> list[LabelSeen]:
    firms = _firms(db, {row.cylinder_id for row in rows})
    return [
        LabelSeen(
            row.cylinder_id,
            row.number,
            row.place,
            row.code,
            _address(ground, row),
            firms.get(row.cylinder_id),
            row.batch_id,
            row.issued_at,
            row.voided_at,
            row.void_reason,
        )
        for row in rows
    ]


def _firms(db: Session, cylinder_ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = db.execute(
        sa.select(Cylinder.cylinder_id, Firm.name)
        .join(Firm, Firm.id == Cylinder.owner_firm_id)
        .where(Cylinder.cylinder_id.in_(cylinder_ids))
    )
    return {row.cylinder_id: row.name for row in rows}


def labels_needing(db: Session, key_version: int) -> int:
    """Labels in use whose tag only this key confirms. A void one may lose its tag: it confirms nothing."""
    needing = (
        sa.select(sa.func.count())
        .select_from(Label)
        .join(
            CylinderIdentifier,
            sa.and_(CylinderIdentifier.scheme == Scheme.PLATFORM, CylinderIdentifier.value == Label.code),
        )
        .where(
            Label.key_version == key_version,
            Label.voided_at.is_(None),
            CylinderIdentifier.voided_at.is_(None),
        )
    )
    return db.scalar(needing) or 0


def _address(ground: Ground, row: Label) -> str | None:
    made = tag(ground.keyring, row.key_version, row.code, row.number)
    return made and address(ground.config.public_url, row.code, made)


# --------------------------------------------------------------------------------------------------------
# Codes that two bottles carry


def collisions(doing: Doing, *, limit: int, cursor: str | None) -> Page:
    """Those of the district that nobody has resolved, oldest first."""
    doing.actor.must_reach(district=doing.district)
    query = sa.select(IdentifierCollision).where(
        IdentifierCollision.district == doing.district, IdentifierCollision.resolved_at.is_(None)
    )
    pager = Pager(doing.ground.keyring.signing.current_key, f"collisions:{doing.district}")
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            IdentifierCollision.found_at.expression,
            IdentifierCollision.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.IdentifierCollision.found_at, row.IdentifierCollision.id),
        )
        return Page([row.IdentifierCollision for row in page.items], page.next_cursor)


def collision(doing: Doing, collision_id: UUID) -> IdentifierCollision:
    with doing.ground.sessions() as db:
        found = db.scalars(
            sa.select(IdentifierCollision).where(IdentifierCollision.id == collision_id)
        ).one_or_none()
        if found is None:
            raise NotFound
        doing.actor.must_reach(district=found.district)
        return found

"""Verbs of a bottle's codes: attach another, void one, and say whose a code is that two bottles carry.

A code resolves to one bottle for ever. One that is found on a second bottle is a fact, and is recorded:

    of the same firm    a collision: both bottles stop until a person has looked at both
    of another firm     refused; the claim is kept and the authority told, and the other's bottle serves on,
                        or anybody could stop a rival's bottles by claiming their codes
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from cylinders import acts
from cylinders import label_refusals as no_label
from cylinders import refusals as no
from cylinders import register_refusals as no_register
from cylinders.bottle_file_queries import must_reach_bottle
from cylinders.code import classify
from cylinders.holds import release_if_free
from cylinders.label_models import CollisionOutcome, IdentifierCollision, Label, WhyLabelVoid
from cylinders.models import Cylinder, CylinderIdentifier, Hold, HoldKind, Scheme, WhyCodeVoid
from cylinders.states import CYLINDER, CylinderState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType

COLLISION_FOUND = "identifier.collision_found"


@does("identifier.attach")
def attach(deed: Deed, *, cylinder_id: UUID, scheme: Scheme, value: str) -> Answer:
    """One more code that the bottle carries: a stamp that was read late, a maker's mark, a chip.

    ``outcome`` is attached, or claimed_twice where another bottle of the firm has it on file.
    """
    code = _code_of(scheme, value)
    cylinder = _mine(deed, cylinder_id, code, scheme)
    deed.note(scheme=scheme, value=classify(value).on_record)
    standing = deed.db.get(CylinderIdentifier, (scheme, code), populate_existing=True)
    if cylinder.state is CylinderState.SCRAPPED:
        raise Refused([no.SCRAPPED()])
    if standing is not None:
        return _claimed(deed, cylinder, standing)
    if _stands(deed, cylinder_id, scheme):
        raise Refused([no_label.CODE_OF_KIND_STANDS(scheme=scheme)])
    rivals = put_codes(deed, cylinder_id, {scheme: code})
    if rivals:
        return _claimed(deed, _mine(deed, cylinder_id, code, scheme), rivals[0])
    return _answer(cylinder_id, "attached")


@does("identifier.void")
def void(deed: Deed, *, cylinder_id: UUID, scheme: Scheme, value: str, reason: WhyCodeVoid) -> Answer:
    """From now on the code identifies nothing, and nothing else ever. With the platform's go its labels."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    code = classify(value).code
    standing = deed.db.get(CylinderIdentifier, (scheme, code), populate_existing=True)
    if standing is None or standing.cylinder_id != cylinder_id:
        raise NotFound
    deed.note(scheme=scheme, value=classify(value).on_record, reason=reason)
    if standing.voided_at is not None:
        raise Refused([no_label.CODE_VOIDED_ALREADY()])
    void_code(deed, standing, reason)
    return _answer(cylinder_id, "voided")


def void_code(deed: Deed, standing: CylinderIdentifier, reason: WhyCodeVoid) -> None:
    """Within an open deed; the bottle is locked."""
    standing.voided_at, standing.void_reason = deed.recorded_at, reason
    if standing.scheme is Scheme.PLATFORM:
        deed.db.execute(
            sa.update(Label)
            .where(
                Label.cylinder_id == standing.cylinder_id,
                Label.code == standing.value,
                Label.voided_at.is_(None),
            )
            .values(voided_at=deed.recorded_at, void_reason=WhyLabelVoid.CODE_VOIDED)
        )
    deed.db.flush()


def _code_of(scheme: Scheme, value: str) -> str:
    """In the form a scanner reads it. Platform codes are ours to give, and no other kind looks like one."""
    read = classify(value)
    if scheme is Scheme.PLATFORM or read.scheme is Scheme.PLATFORM:
        raise WrongField(
            "/scheme" if scheme is Scheme.PLATFORM else "/value",
            "platform",
            "平台编码由系统发放",
            "a platform code is given by the system, with its labels",
        )
    if not read.readable:
        raise WrongField("/value", "code", "读不出编码", "expected a code that can be read")
    return read.code


def _mine(deed: Deed, cylinder_id: UUID, code: str, scheme: Scheme) -> Cylinder:
    """The bottle, locked, and with it the one of the same firm that has the code, by ascending id."""
    cylinder = deed.db.get(Cylinder, cylinder_id)
    if cylinder is None:
        raise NotFound
    must_reach_bottle(deed.db, deed.doing, cylinder)
    other = deed.db.scalar(
        sa.select(CylinderIdentifier.cylinder_id)
        .join(Cylinder, Cylinder.cylinder_id == CylinderIdentifier.cylinder_id)
        .where(
            CylinderIdentifier.scheme == scheme,
            CylinderIdentifier.value == code,
            Cylinder.owner_firm_id == cylinder.owner_firm_id,
        )
    )
    return acts.lock(deed, {cylinder_id, other or cylinder_id})[cylinder_id]


def _stands(deed: Deed, cylinder_id: UUID, scheme: Scheme) -> bool:
    standing = sa.exists().where(
        CylinderIdentifier.cylinder_id == cylinder_id,
        CylinderIdentifier.scheme == scheme,
        CylinderIdentifier.voided_at.is_(None),
    )
    return bool(deed.db.scalar(sa.select(standing)))


# --------------------------------------------------------------------------------------------------------
# A code that another bottle has


def on_file(deed: Deed, codes: Mapping[Scheme, str]) -> Sequence[CylinderIdentifier]:
    """Which of these codes were ever used."""
    wanted = sa.tuple_(CylinderIdentifier.scheme, CylinderIdentifier.value)
    query = sa.select(CylinderIdentifier).where(wanted.in_(list(codes.items())))
    return deed.db.scalars(query.execution_options(populate_existing=True)).all()


def put_codes(deed: Deed, cylinder_id: UUID, codes: Mapping[Scheme, str]) -> Sequence[CylinderIdentifier]:
    """Put a bottle's codes on file; where somebody put one of them there since it was looked for, none, and
    what stands there instead: a race that is lost is a collision like any other, and told of as one."""
    rows = [
        {"scheme": scheme, "value": value, "cylinder_id": cylinder_id, "active_from": deed.recorded_at}
        for scheme, value in codes.items()
    ]
    try:
        with deed.db.begin_nested():
            deed.db.execute(sa.insert(CylinderIdentifier), rows)
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != "pk_cylinder_identifier":
            raise
        return on_file(deed, codes)
    return []


def _claimed(deed: Deed, cylinder: Cylinder, standing: CylinderIdentifier) -> Answer:
    if standing.cylinder_id == cylinder.cylinder_id or standing.voided_at is not None:
        on_record = classify(standing.value).on_record
        raise Refused([no_register.IDENTIFIER_TAKEN(scheme=standing.scheme, value=on_record)])
    other = deed.db.get_one(Cylinder, standing.cylinder_id)
    elsewhere = other.owner_firm_id != cylinder.owner_firm_id
    collision = _collision(deed, cylinder.cylinder_id, standing, elsewhere=elsewhere)
    if _open_already(deed, collision):
        raise Refused([no_label.COLLISION_STANDS()])
    _tell(deed, collision)
    if elsewhere:
        deed.keep(collision)
        raise Refused([no_label.REGISTERED_ELSEWHERE()])
    deed.db.add(collision)
    for one in sorted((cylinder, other), key=lambda bottle: bottle.cylinder_id):
        _stop(deed, one, collision)
    return {**_answer(cylinder.cylinder_id, "claimed_twice"), "collision_id": str(collision.id)}


def taken_refusals(deed: Deed, firm_id: UUID, taken: Iterable[CylinderIdentifier]) -> list[Refusal]:
    """Of a bottle that is being registered: its codes that are on file already. Another firm's is told of."""
    found: list[Refusal] = []
    for one in taken:
        owner = deed.db.get_one(Cylinder, one.cylinder_id).owner_firm_id
        on_record = classify(one.value).on_record
        if owner == firm_id or one.voided_at is not None:
            found.append(no_register.IDENTIFIER_TAKEN(scheme=one.scheme, value=on_record))
            continue
        deed.tell(
            COLLISION_FOUND,
            even_if_refused=True,
            code=on_record,
            scheme=one.scheme,
            elsewhere=True,
            cylinder_id=one.cylinder_id,
            claimed_by_firm_id=firm_id,
            seen_at=deed.occurred_at,
        )
        found.append(no_label.REGISTERED_ELSEWHERE(scheme=one.scheme, value=on_record))
    return found


def tell_of_register(
    deed: Deed, firm_id: UUID, import_id: UUID, claimed: Sequence[Refusal], all_of: int
) -> None:
    """Of a register that claims other firms' codes: one tip, which names the first of them."""
    if not claimed:
        return
    first, *_ = codes = [
        {"scheme": one.facts["scheme"], "value": classify(one.facts["value"]).on_record} for one in claimed
    ]
    deed.tell(
        COLLISION_FOUND,
        even_if_refused=True,
        code=first["value"],
        scheme=first["scheme"],
        elsewhere=True,
        codes=codes,
        claimed=all_of,
        import_id=import_id,
        claimed_by_firm_id=firm_id,
        seen_at=deed.occurred_at,
    )


def _collision(
    deed: Deed, claiming_id: UUID, standing: CylinderIdentifier, *, elsewhere: bool
) -> IdentifierCollision:
    return IdentifierCollision(
        scheme=standing.scheme,
        id=new_id(),
        value=standing.value,
        standing_cylinder_id=standing.cylinder_id,
        claiming_cylinder_id=claiming_id,
        elsewhere=elsewhere,
        district=deed.district,
        found_by=deed.actor.principal_id,
        found_at=deed.recorded_at,
    )


def _open_already(deed: Deed, collision: IdentifierCollision) -> bool:
    standing = sa.exists().where(
        IdentifierCollision.scheme == collision.scheme,
        IdentifierCollision.value == collision.value,
        IdentifierCollision.claiming_cylinder_id == collision.claiming_cylinder_id,
        IdentifierCollision.resolved_at.is_(None),
    )
    return bool(deed.db.scalar(sa.select(standing)))


def _tell(deed: Deed, collision: IdentifierCollision) -> None:
    deed.note(collision_id=collision.id, elsewhere=collision.elsewhere)
    deed.tell(
        COLLISION_FOUND,
        even_if_refused=True,
        code=classify(collision.value).on_record,
        scheme=collision.scheme,
        elsewhere=collision.elsewhere,
        collision_id=collision.id,
        cylinder_id=collision.claiming_cylinder_id,
        standing_cylinder_id=collision.standing_cylinder_id,
        seen_at=deed.occurred_at,
    )


def _stop(deed: Deed, cylinder: Cylinder, collision: IdentifierCollision) -> None:
    deed.db.add(
        Hold(
            cylinder_id=cylinder.cylinder_id,
            kind=HoldKind.CLAIMED_TWICE,
            reference=str(collision.id),
            from_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    if cylinder.state is CylinderState.IN_SERVICE:
        CYLINDER.move(deed.db, cylinder, "hold")


@does("identifier.resolve")
def resolve_collision(deed: Deed, *, collision_id: UUID, outcome: CollisionOutcome) -> Answer:
    """By somebody who has looked at both bottles: whose the code is. Neither's, and it is void for ever."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    found = _of_district(deed, collision_id)
    on_record = classify(found.value).on_record
    deed.note(collision_id=found.id, scheme=found.scheme, value=on_record, outcome=outcome)
    bottles = acts.lock(deed, {found.standing_cylinder_id, found.claiming_cylinder_id})
    deed.db.refresh(found)
    if found.resolved_at is not None:
        raise Refused([no_label.COLLISION_RESOLVED()])
    _settle_code(deed, found, outcome, bottles[found.claiming_cylinder_id])
    found.resolved_at, found.outcome = deed.recorded_at, outcome
    found.resolved_by = deed.actor.principal_id
    deed.db.execute(
        sa.update(Hold)
        .where(
            Hold.cylinder_id.in_(bottles),
            Hold.kind == HoldKind.CLAIMED_TWICE,
            Hold.reference == str(found.id),
            Hold.until_at.is_(None),
        )
        .values(until_at=deed.recorded_at)
    )
    deed.db.flush()
    for cylinder_id in sorted(bottles):
        release_if_free(deed, bottles[cylinder_id])
    return {"collision_id": str(found.id)}


def _of_district(deed: Deed, collision_id: UUID) -> IdentifierCollision:
    found = deed.db.scalars(
        sa.select(IdentifierCollision).where(IdentifierCollision.id == collision_id)
    ).one_or_none()
    if found is None:
        raise NotFound
    deed.actor.must_reach(district=found.district)
    return found


def _settle_code(
    deed: Deed, found: IdentifierCollision, outcome: CollisionOutcome, claiming: Cylinder
) -> None:
    """The code goes to the bottle that truly carries it; who had it wrongly is told by the entry.

    With a bottle that was scrapped meanwhile goes the code, as its others did.
    """
    code = deed.db.get_one(CylinderIdentifier, (found.scheme, found.value), populate_existing=True)
    if outcome is CollisionOutcome.STANDING:
        return
    if outcome is CollisionOutcome.NEITHER:
        if code.voided_at is None:
            void_code(deed, code, WhyCodeVoid.CLAIMED_TWICE)
        return
    if code.voided_at is not None:
        raise Refused([no_label.CODE_VOIDED_ALREADY()])
    if _stands(deed, found.claiming_cylinder_id, found.scheme):
        raise Refused([no_label.CODE_OF_KIND_STANDS(scheme=found.scheme)])
    code.cylinder_id, code.active_from = found.claiming_cylinder_id, deed.recorded_at
    if claiming.state is CylinderState.SCRAPPED:
        code.voided_at = deed.recorded_at
    deed.db.flush()


def _answer(cylinder_id: UUID, outcome: str) -> Answer:
    return {"cylinder_id": str(cylinder_id), "outcome": outcome, "collision_id": None}

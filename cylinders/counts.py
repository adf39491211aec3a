"""盘点: a site's count at the end of its day, full and empty apart, and why it differs from custody.

    count      every bottle that stands at the site is scanned; what differs from custody is written down
    explain    somebody who looked says why, by a code

A count is never refused, and it moves no bottle: a scan that receives one does (``service.receive``). A
difference is a bottle, never a number: three missing and three too many are six differences, not none.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.ids import new_id
from core.problems import NotFound, WrongField
from cylinders import acts
from cylinders.at_site import site_of_address
from cylinders.count_queries import Standing, standing_at, standing_of
from cylinders.models import (
    CountDifference,
    CountedWrong,
    CountExplanation,
    SiteCount,
    WhyCountedWrong,
)
from cylinders.queries import Resolved, resolve_all
from cylinders.refill_gate import Identity
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Site

MOST_NAMED = 200
STRANGERS = (Identity.UNKNOWN, Identity.VOIDED, Identity.CLAIMED_TWICE)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was scanned: ``bottles`` of ours, full or not; ``strangers`` by the code on record, each once."""

    bottles: Mapping[UUID, bool]
    strangers: Mapping[str, Resolved]


@does("stock.count")
def count(deed: Deed, *, site_id: UUID, full: Sequence[str], empty: Sequence[str]) -> Answer:
    """Bottles that differ are locked and looked at again: what another hand moved meanwhile is none."""
    site = site_of_address(deed, site_id)
    counted = _scanned(deed, full, empty)
    custody = standing_at(deed.db, site.id) | standing_of(deed.db, counted.bottles)
    custody |= _again_under_lock(deed, site, counted, custody)
    row = SiteCount(
        id=new_id(),
        site_id=site.id,
        firm_id=site.firm_id,
        district=site.district,
        models=_by_model(site, counted, custody),
        scanned_root=_root(counted),
        counted_by=deed.actor.principal_id,
        counted_at=deed.recorded_at,
    )
    differences = _differences(row.id, site, counted, custody)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=site.firm_id, site=site.id)
    deed.note(count_id=row.id, models=row.models, scanned_root=row.scanned_root)
    deed.note(
        differences=len(differences),
        named=[
            {"number": one.number, "kind": one.kind, "cylinder_id": one.cylinder_id}
            for one in differences[:MOST_NAMED]
        ],
    )
    deed.db.add(row)
    deed.db.flush()
    deed.db.add_all(differences)
    for stranger in counted.strangers.values():
        if stranger.identity in STRANGERS:
            acts.stranger_seen(deed, stranger, where="site", site_id=site.id)
    return {"count_id": str(row.id)}


@does("stock.explain")
def explain(
    deed: Deed, *, site_id: UUID, count_id: UUID, number: int, why: WhyCountedWrong, reference: str | None
) -> Answer:
    site = site_of_address(deed, site_id)
    found = deed.db.get(SiteCount, count_id)
    if found is None or found.site_id != site.id:
        raise NotFound
    difference = deed.db.get(CountDifference, (count_id, number))
    if difference is None:
        raise WrongField("/number", "unknown", "没有这处差异", "expected a difference of this count")
    if difference.cylinder_id is None:
        deed.about(SubjectType.REGISTER, str(deed.district))
    else:
        acts.lock(deed, [difference.cylinder_id])
    deed.at(firm=site.firm_id, site=site.id)
    deed.note(count_id=count_id, number=number, kind=difference.kind, why=why, reference=reference)
    deed.db.add(
        CountExplanation(
            count_id=count_id,
            number=number,
            why=why,
            reference=reference,
            explained_by=deed.actor.principal_id,
            explained_at=deed.recorded_at,
        )
    )
    return {"count_id": str(count_id)}


# --- what was scanned -------------------------------------------------------------------------------------


def _scanned(deed: Deed, full: Sequence[str], empty: Sequence[str]) -> Counted:
    """Each bottle once, however often the gun read it; one that is both full and empty is 422."""
    bottles: dict[UUID, bool] = {}
    strangers: dict[str, Resolved] = {}
    for name, is_full, codes in (("full", True, full), ("empty", False, empty)):
        for number, resolved in enumerate(resolve_all(deed.db, codes)):
            if resolved.cylinder_id is None or resolved.identity in STRANGERS:
                strangers.setdefault(resolved.on_record, resolved)
            elif bottles.setdefault(resolved.cylinder_id, is_full) is not is_full:
                raise WrongField(
                    f"/{name}/{number}",
                    "twice",
                    "同一只瓶不能既算满又算空",
                    "a bottle cannot be counted both full and empty",
                )
    return Counted(bottles, strangers)


def _root(counted: Counted) -> str:
    lines = [f"{one} {'full' if is_full else 'empty'}" for one, is_full in counted.bottles.items()]
    lines += [f"{code} stranger" for code in counted.strangers]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


# --- against custody --------------------------------------------------------------------------------------


def _again_under_lock(
    deed: Deed, site: Site, counted: Counted, custody: Mapping[UUID, Standing]
) -> dict[UUID, Standing]:
    differing = {one for one in {*custody, *counted.bottles} if _wrong(site, counted, custody, one)}
    acts.lock(deed, differing)
    return standing_of(deed.db, differing)


def _wrong(
    site: Site, counted: Counted, custody: Mapping[UUID, Standing], cylinder_id: UUID
) -> CountedWrong | None:
    is_full, standing = counted.bottles.get(cylinder_id), custody.get(cylinder_id)
    is_here = standing is not None and standing.is_at(site.id)
    if is_full is None:
        return CountedWrong.NOT_FOUND if is_here else None
    if standing is None or not is_here:
        return CountedWrong.NOT_EXPECTED
    if is_full is standing.full:
        return None
    return CountedWrong.FULL_NOT_EMPTY if is_full else CountedWrong.EMPTY_NOT_FULL


def _differences(
    count_id: UUID, site: Site, counted: Counted, custody: Mapping[UUID, Standing]
) -> list[CountDifference]:
    found: list[CountDifference] = []
    for cylinder_id in sorted({*custody, *counted.bottles}):
        kind, standing = _wrong(site, counted, custody, cylinder_id), custody.get(cylinder_id)
        if kind is not None:
            found.append(
                CountDifference(
                    kind=kind,
                    cylinder_id=cylinder_id,
                    code=None,
                    model=standing.model if standing else None,
                    holder_kind=standing.holder_kind if standing else None,
                    since=standing.since if standing else None,
                )
            )
    for code, stranger in sorted(counted.strangers.items()):
        found.append(CountDifference(kind=CountedWrong.STRANGER, cylinder_id=stranger.cylinder_id, code=code))
    for number, difference in enumerate(found, start=1):
        difference.count_id, difference.number = count_id, number
    return found


def _by_model(site: Site, counted: Counted, custody: Mapping[UUID, Standing]) -> list[dict[str, object]]:
    sums: dict[str, dict[str, int]] = {}
    for cylinder_id, standing in custody.items():
        of_model = sums.setdefault(
            standing.model,
            dict.fromkeys(("full_counted", "full_expected", "empty_counted", "empty_expected"), 0),
        )
        is_full = counted.bottles.get(cylinder_id)
        if is_full is not None:
            of_model["full_counted" if is_full else "empty_counted"] += 1
        if standing.is_at(site.id):
            of_model["full_expected" if standing.full else "empty_expected"] += 1
    return [{"model": model, **amounts} for model, amounts in sorted(sums.items()) if any(amounts.values())]

"""The question every scan asks, behind our own routes: may this bottle be filled, or sent out?

It is three statements at most, all prebuilt: the bottles behind the codes with all the gate must know
(``asked_bottles``), the asking firm's papers (``asked_papers``), and, for a courier, whose courier it is. At
the gun the first two go with the statement that reads the asker's grants. Scope is judged here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.auth import GRANTS_OF_TOKEN, ScopeKind
from core.db import table_of
from core.doing import Doing
from core.ground import Ground
from core.prepared import Prepared
from core.problems import NotFound, WrongField
from cylinders import filling_refusals as at_gun
from cylinders.ask_log import ASKS, Ask
from cylinders.asked_bottles import CODE_AND_FILE, FILES, each_of, rows_by_code, with_file
from cylinders.asked_means import moment
from cylinders.asked_papers import (
    FIRM_OF_COURIER,
    FIRMS,
    OF_SITE_TO_FILL,
    PAPERS_AND_MEANS,
    Standing,
    standing_in,
    standing_to_fill,
    standings_by_firm,
)
from cylinders.code import MOST_SYMBOLS, Scanned, classify
from cylinders.filling_gate import StartFacts
from cylinders.models import CylinderIdentifier, Scheme
from cylinders.queries import Resolved, due_on, judged, resolved_of, row_of
from cylinders.refill_gate import Purpose
from registry.models import Site
from rulebook import current
from rulebook.gate import Verdict, judge


@dataclass(frozen=True, slots=True)
class AskAnswer:
    """The answer to one scanned code. ``reasons`` are worded for the one who asks; ``ask_id`` is the number
    under which the question stands in the log of asks; ``is_only_the_scale``: over another it could be
    filled."""

    ask_id: UUID
    code: str
    cylinder_id: UUID | None
    allowed: bool
    reasons: list[dict[str, Any]]
    next_due_on: date | None
    max_fill_g: int | None
    tare_g: int | None
    edition: str
    asked_at: datetime
    is_only_the_scale: bool = False

    def to_plain(self) -> dict[str, Any]:
        """As ``schemas.VerdictOut`` would write it, for every scan and a thousand times for a list."""
        return {
            "ask_id": self.ask_id,
            "code": self.code,
            "cylinder_id": self.cylinder_id,
            "allowed": self.allowed,
            "reasons": self.reasons,
            "next_due_on": self.next_due_on,
            "max_fill_g": self.max_fill_g,
            "tare_g": self.tare_g,
            "edition": self.edition,
            "asked_at": clock.stamp(self.asked_at),
        }


@dataclass(frozen=True, slots=True)
class FoundBeside:
    """What the statement with the asker's grants found of one code and of the site asked for."""

    at: datetime
    read: Scanned
    rows: Sequence[Any]


_site, _identifier = table_of(Site), table_of(CylinderIdentifier)
_grants = GRANTS_OF_TOKEN.subquery("granted")
_site_asked_for = sa.func.coalesce(
    sa.bindparam("site_id", type_=sa.Uuid),
    sa.case((_grants.c.scope_kind == ScopeKind.SITE, sa.cast(_grants.c.scope_code, sa.Uuid))),
)
_in_any_scheme = _identifier.c.scheme.in_([sa.literal_column(f"'{scheme.value}'") for scheme in Scheme])
_is_the_code = sa.and_(_in_any_scheme, _identifier.c.value == sa.bindparam("code", type_=sa.Text))
_WITH_GRANTS = Prepared(
    sa.select(*_grants.c, *PAPERS_AND_MEANS, *CODE_AND_FILE).select_from(
        _grants.outerjoin(OF_SITE_TO_FILL, _site.c.id == _site_asked_for).outerjoin(
            with_file(_identifier), _is_the_code
        )
    )
)


def beside_grants(
    ground: Ground,
    token_hash: bytes,
    query: dict[str, Any],
    code: str,
) -> tuple[Sequence[Any], FoundBeside]:
    """One way to the server for the scan at the gun: who asks, for which site, and about which bottle."""
    if len(code) > MOST_SYMBOLS:
        raise WrongField("/code", "too_long", "最多512个字", "expected at most 512 characters")
    at, read = clock.now(), classify(code)
    rows = _WITH_GRANTS.ask(
        ground.reads,
        token_hash=token_hash,
        site_id=query["site"],
        filler_id=query["filler"],
        scale=query["scale"],
        code=read.code,
        **moment(at),
    )
    return rows, FoundBeside(at, read, rows)


def verdict(
    doing: Doing, *, purpose: Purpose, site: UUID | None, filler: UUID | None, scale: str | None
) -> AskAnswer:
    """``verdicts`` of the one code that was asked about beside the asker's grants."""
    found: FoundBeside = doing.beside
    rows = [row for row in found.rows if row.grant_id == doing.actor.grant_id]
    of_site = standing_in(rows[0]) if rows[0].site_id else None
    standing = _standing_of_asker(doing, purpose, site, found.at, lambda _: of_site)
    behind = [row for row in rows if row.cylinder_id is not None]
    [answer] = _answers(doing, [found.read], behind, standing, purpose, scale, found.at)
    return answer


def verdicts(
    doing: Doing,
    codes: Sequence[str],
    *,
    purpose: Purpose,
    site: UUID | None = None,
    filler: UUID | None = None,
    scale: str | None = None,
) -> list[AskAnswer]:
    """An answer to each code, in order. Logged, in batches, without making the answer wait.

    A filler asks for the own site. Whoever names no site is answered as the own firm, an office as the
    bottle's firm. About filling, the site's gas, scale and stops are answered with the bottle's file; of
    several scales none is judged before one is named.
    """
    at, reads = clock.now(), doing.ground.reads

    def of_site(site_id: UUID) -> Standing | None:
        return standing_to_fill(reads, site_id, at, filler, scale)

    standing = _standing_of_asker(doing, purpose, site, at, of_site)
    read = [classify(code) for code in codes]
    behind = FILES.ask(reads, **each_of(read), **moment(at))
    return _answers(doing, read, behind, standing, purpose, scale, at)


def _answers(
    doing: Doing,
    read: Sequence[Scanned],
    behind: Sequence[Any],
    standing: Standing | None,
    purpose: Purpose,
    scale: str | None,
    at: datetime,
) -> list[AskAnswer]:
    """``behind``: every filed identifier that reads like one of the codes, with its bottle's file."""
    day, by_code = clock.day_of(at), rows_by_code(behind)
    owners: dict[UUID, Standing] = {}
    if standing is None:
        firms = {row.owner_firm_id for row in behind} - {None}
        owners = standings_by_firm(FIRMS.ask(doing.ground.reads, firms=sorted(firms), day=day))
    place = str(standing.district if standing and standing.district else doing.district)
    answers, asks = [], []
    starts: dict[bool, Verdict] = {}
    for scanned in read:
        rows = by_code.get(scanned.code, [])
        resolved = resolved_of(scanned, rows)
        row = row_of(resolved, rows)
        papers = standing or (row and owners.get(row.owner_firm_id)) or Standing(None)
        verdict = judged(resolved, row, papers, purpose, place, at)
        start = None
        if row is not None and papers.start is not None and purpose is Purpose.FILL:
            has_tare = row.tare_g is not None
            if has_tare not in starts:
                starts[has_tare] = _judge_start(papers.start, row.tare_g, scale, place, day)
            start = starts[has_tare]
        ask = Ask(
            at,
            doing.actor.principal_id,
            doing.district,
            papers.site_id,
            purpose,
            scanned.on_record,
            resolved.cylinder_id,
            verdict,
            start,
        )
        asks.append(ask)
        answers.append(_answer(doing, resolved, row, ask))
    ASKS.put(doing.ground.sessions, asks)
    return answers


def _judge_start(facts: StartFacts, tare_g: int | None, scale: str | None, place: str, day: date) -> Verdict:
    """Gas, scale and stops. Of a scale that nobody has named yet nothing is known, and nothing is said: leave
    to fill will ask for it."""
    verdict = judge("filling_start", replace(facts, stamped_tare_g=tare_g), place, day, current())
    if scale is None and not facts.is_scale_known:
        known = tuple(one for one in verdict.reasons if one.reason is not at_gun.SCALE_UNKNOWN)
        return replace(verdict, reasons=known)
    return verdict


_OF_THE_SCALE = (
    at_gun.SCALE_UNKNOWN,
    at_gun.SCALE_STOPPED,
    at_gun.SCALE_NOT_VERIFIED,
    at_gun.SCALE_VERIFICATION_EXPIRED,
)


def _answer(doing: Doing, resolved: Resolved, row: Any | None, ask: Ask) -> AskAnswer:
    verdict = ask.verdict
    return AskAnswer(
        ask_id=ask.id,
        code=resolved.code,
        cylinder_id=resolved.cylinder_id,
        allowed=ask.allowed,
        reasons=[refusal.worded(doing.actor.audience) for refusal in ask.reasons],
        next_due_on=due_on(verdict),
        max_fill_g=row.max_fill_g if row else None,
        tare_g=row.tare_g if row else None,
        edition=verdict.edition_digest,
        asked_at=ask.asked_at,
        is_only_the_scale=not ask.allowed and all(one.reason in _OF_THE_SCALE for one in ask.reasons),
    )


def _standing_of_asker(
    doing: Doing,
    purpose: Purpose,
    site: UUID | None,
    at: datetime,
    of_site: Callable[[UUID], Standing | None],
) -> Standing | None:
    """For whom the asker asks; None for an office that asks about bottles as such."""
    reach, reads = doing.actor.reach, doing.ground.reads
    firm_id = None
    if reach.kind is ScopeKind.COURIER:
        courier_id = doing.actor.scope_id(ScopeKind.COURIER)
        courier = FIRM_OF_COURIER.ask(reads, district=doing.actor.district, courier_id=courier_id)
        if not courier:
            raise NotFound
        firm_id = courier[0].firm_id
    if site is None and reach.kind is ScopeKind.SITE:
        site = doing.actor.scope_id(ScopeKind.SITE)
    if site is not None:
        standing = of_site(site)
        if standing is None:
            raise NotFound
        if firm_id is None:
            doing.actor.must_reach(site=site, firm=standing.firm_id, district=standing.district)
        elif firm_id != standing.firm_id:
            raise NotFound
        return standing
    if purpose is Purpose.FILL:
        raise WrongField(
            "/query/site", "required", "问能否充装须指明场站", "expected the site that would fill"
        )
    if reach.kind is ScopeKind.FIRM:
        firm_id = doing.actor.scope_id(ScopeKind.FIRM)
    if firm_id is None:
        return None
    return standings_by_firm(FIRMS.ask(reads, firms=[firm_id], day=clock.day_of(at))).get(firm_id)

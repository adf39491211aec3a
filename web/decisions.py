"""./lpg manage decisions replay: what was decided, judged again.

Without a proposal: by the rules of its own day. Any difference is an error: somebody changed a stored row, or
a page of law no longer says what it said. With one: whom the proposal would have touched, street by street.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from sqlalchemy.orm import Session

from rulebook.decisions import Again, Which, judged_again, proposed
from rulebook.proposal import Proposal

NO_STREET = "(no street)"


def replay(db: Session, which: Which) -> int:
    judged, found, lacking = 0, 0, 0
    for again in judged_again(db, which, lambda own: own):
        judged += 1
        lacking += bool(again.lacking)
        if again.differs:
            found += 1
            print(f"{again.id}: {_codes(again.before)} -> {_after(again)}")
            if again.lacking:
                print(f"  judged without facts that are not stored: {', '.join(again.lacking)}")
    print(f"{judged} decisions judged again; {found} decisions would be answered otherwise")
    if lacking:
        print(f"{lacking} hold fewer facts than their page asks today; there it is judged as on its own day")
    return 1 if found else 0


def replay_with(db: Session, which: Which, proposal: Proposal) -> int:
    """Counts by street and rule; each decision that cannot be judged is named, and counted nowhere else."""
    streets: defaultdict[str, _Street] = defaultdict(_Street)
    judged, left_out = 0, 0
    for again in proposed(db, which, proposal.over):
        if again.after is None:
            left_out += 1
            print(f"{again.id}: not judged: {_why_not(again)}")
            continue
        judged += 1
        streets[again.street or NO_STREET].count(again)
    touched = {name: street for name, street in streets.items() if street.is_touched}
    for name, street in sorted(touched.items()):
        for line in street.lines():
            print(f"{name}: {line}")
    refused = sum(street.newly_refused for street in touched.values())
    allowed = sum(street.newly_allowed for street in touched.values())
    print(
        f"{judged} decisions judged again with the proposal: {refused} newly refused, "
        f"{allowed} newly allowed, in {len(touched)} of {len(streets)} streets; {left_out} not judged"
    )
    return 0


class _Street:
    """What a proposal does in one street."""

    def __init__(self) -> None:
        self.newly_refused = self.newly_allowed = self.judged = 0
        self.by_rule: dict[str, Counter[str]] = {
            "newly refused": Counter(),
            "newly allowed": Counter(),
            "refused for more": Counter(),
            "refused for less": Counter(),
        }

    @property
    def is_touched(self) -> bool:
        return any(self.by_rule.values())

    def count(self, again: Again) -> None:
        self.judged += 1
        before, after = _rules(again.before), _rules(again.after or [])
        if not before and after:
            self.newly_refused += 1
            self.by_rule["newly refused"].update(after)
        elif before and not after:
            self.newly_allowed += 1
            self.by_rule["newly allowed"].update(before)
        else:
            self.by_rule["refused for more"].update(after - before)
            self.by_rule["refused for less"].update(before - after)

    def lines(self) -> Iterator[str]:
        numbers = {"newly refused": self.newly_refused, "newly allowed": self.newly_allowed}
        for what, rules in self.by_rule.items():
            if rules:
                by_rule = ", ".join(f"{rule} {number}" for rule, number in sorted(rules.items()))
                total = f" {numbers[what]}" if what in numbers else ""
                yield f"{what}{total} of {self.judged} ({by_rule})"


def _rules(reasons: list[dict[str, object]]) -> set[str]:
    return {str(reason["rule"]) for reason in reasons}


def _codes(reasons: list[dict[str, object]]) -> str:
    return ",".join(str(reason["code"]) for reason in reasons) or "allowed"


def _after(again: Again) -> str:
    return _codes(again.after) if again.after is not None else f"not judged: {_why_not(again)}"


def _why_not(again: Again) -> str:
    if again.lacking:
        return f"facts not stored: {', '.join(again.lacking)}"
    return f"the stored facts are not understood ({again.unreadable})"

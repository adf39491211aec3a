"""The law as dated data by place. The one folder a lawyer opens.

Reading. `rulebook/law/` holds one file a place: `100000.toml` the nation, `310000.toml` Shanghai, then
a file for each district, named by its division code. A file begins with the documents it draws on
(title, day issued, day in force, how sure we are), then gives its entries:

    [[rule]]
    name = "A13.limit_g"            # a value that rule A13 needs
    value = 60000                   # grams
    document = "plan"               # one of the documents named above
    article = "13"
    tighter = "lower"               # a district may only go lower

An entry without a dot ("A13") says that the rule is asked in this place at all; an entry with a dot
gives it a number, a day, a list. The narrowest place that has an entry binds: district, then city, then
nation. `confidence`: V read in the text, V-open only its opening, V2 a secondary text, K own
knowledge, S a local plan, design made by this system.

Changing. Never overwrite a value: give the old entry an `until` (the first day it no longer binds) and
add a new one with its own `effective`, so that last year's filling is still judged by last year's
rule. A rule that no longer binds ends by `until`; it is not deleted. `issued` may be later than
`effective`: the rule then reaches back, and every refusal shows both days. An entry whose value is
missing refuses: what the law asks and we cannot tell is a no. A district may tighten, never loosen; a
test over the files watches. Put the day you compared the entry with its text in `checked`. Add a row to
`tests/policy/` for each change, announce it with place and day in CHANGELOG.md, and read it printed in
docs/rulebook.md.

    edition.py    reads the folder: Edition, Rule, Law
    gate.py       judges facts by a page of law: gate, judge, Verdict
    decisions.py  keeps decisions and judges them again: decision_of, replay, proposed
    proposal.py   a rule that is only proposed, laid over an edition: read_proposal
    printed.py    the two printed pages: the rulebook and every refusal
"""

from datetime import date
from functools import cache

from core.refusal import Basis, find_basis_by, in_chinese
from rulebook.edition import Edition
from rulebook.words import WORDS


@cache
def current() -> Edition:
    """The edition of this checkout, read once per process. Old editions live in the database."""
    return Edition.load()


def _basis_of(rule: str, place: str, day: date) -> Basis | None:
    return current().at(place, day).basis(rule)


find_basis_by(_basis_of)
in_chinese(WORDS)

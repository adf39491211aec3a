"""Whoever touches the evidence behind the application's back is found, and what was touched is named."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from core.ground import Ground
from evidence.deed import Answer, Deed, does
from evidence.entry import Subject
from evidence.models import SubjectType
from evidence.queries import chain
from evidence.verify import Finding, Tally, verify


@does("test.note")
def note(deed: Deed, number: int, *cards: str) -> Answer:
    for card in cards:
        deed.about(SubjectType.CARD, card)
    deed.note(number=number)
    return {}


@pytest.fixture
def three_entries(doing: Doing) -> None:
    note(doing, 1, "A", "B")
    note(doing, 2, "A")
    note(doing, 3, "A", "B")


def tamper(owner: sa.Engine, *statements: str) -> None:
    """As somebody with the owner's rights would: past the grants and the triggers."""
    with owner.begin() as connection:
        connection.execute(sa.text("SET session_replication_role = replica"))
        for statement in statements:
            connection.exec_driver_sql(statement)


def findings(ground: Ground) -> list[Finding]:
    with ground.sessions() as db:
        return list(verify(db))


NTH = "(SELECT entry_id FROM evidence_link WHERE subject_key = 'A' AND seq = {n})"

CASES = {
    "a byte of an entry": (
        ["UPDATE evidence_entry SET written = set_byte(written, 40, get_byte(written, 40) # 1) "
         f"WHERE id = {NTH.format(n=2)}"],
        {"changed"},
    ),
    "bytes and hash together": (
        ["UPDATE evidence_entry SET written = replace(encode(written, 'escape'), '\"number\":2', "
         f"'\"number\":9')::bytea WHERE id = {NTH.format(n=2)}",
         f"UPDATE evidence_entry SET hash = sha256('\\x00'::bytea || written) WHERE id = {NTH.format(n=2)}"],
        {"changed"},
    ),
    "a column": (
        [f"UPDATE evidence_entry SET verb = 'test.other' WHERE id = {NTH.format(n=2)}"],
        {"changed"},
    ),
    "the actor": (
        [f"UPDATE evidence_entry SET actor_id = gen_random_uuid() WHERE id = {NTH.format(n=3)}"],
        {"changed"},
    ),
    "an entry in the middle is gone": (
        [f"DELETE FROM evidence_entry WHERE id = {NTH.format(n=2)}"],
        {"missing"},
    ),
    "an entry and its link are gone": (
        [f"DELETE FROM evidence_entry WHERE id = {NTH.format(n=2)}",
         "DELETE FROM evidence_link WHERE subject_key = 'A' AND seq = 2"],
        {"missing"},
    ),
    "the last entry, its links and no head": (
        [f"DELETE FROM evidence_entry WHERE id = {NTH.format(n=3)}",
         "DELETE FROM evidence_link WHERE (subject_key, seq) IN (('A', 3), ('B', 2))"],
        {"head"},
    ),
    "a link": (["DELETE FROM evidence_link WHERE subject_key = 'B' AND seq = 1"], {"missing"}),
    "deleted and renumbered": (
        [f"DELETE FROM evidence_entry WHERE id = {NTH.format(n=2)}",
         "DELETE FROM evidence_link WHERE subject_key = 'A' AND seq = 2",
         "UPDATE evidence_link SET seq = 2 WHERE subject_key = 'A' AND seq = 3",
         "UPDATE evidence_head SET seq = 2 WHERE subject_key = 'A'"],
        {"reordered"},
    ),
    "two links swapped": (
        ["UPDATE evidence_link SET seq = 9 WHERE subject_key = 'A' AND seq = 1",
         "UPDATE evidence_link SET seq = 1 WHERE subject_key = 'A' AND seq = 2",
         "UPDATE evidence_link SET seq = 2 WHERE subject_key = 'A' AND seq = 9"],
        {"reordered"},
    ),
    "a head set back": (["UPDATE evidence_head SET seq = 2 WHERE subject_key = 'A'"], {"head"}),
}  # fmt: skip


@pytest.mark.usefixtures("three_entries")
def test_untouched_evidence_has_no_findings(ground: Ground) -> None:
    tally = Tally()
    with ground.sessions() as db:
        assert not list(verify(db, tally))
    assert (tally.entries, tally.chains) == (3, 2)


@pytest.mark.usefixtures("three_entries")
@pytest.mark.parametrize("case", CASES)
def test_touched_evidence_is_named(ground: Ground, owner_engine: sa.Engine, case: str) -> None:
    statements, codes = CASES[case]
    tamper(owner_engine, *statements)
    found = findings(ground)
    assert codes <= {finding.code for finding in found}
    assert all(finding.where and finding.zh and finding.en for finding in found)


@pytest.mark.usefixtures("three_entries")
def test_even_the_owner_is_stopped_by_the_trigger(owner_engine: sa.Engine) -> None:
    with (
        owner_engine.begin() as connection,
        pytest.raises(sa.exc.IntegrityError, match="only ever added"),
    ):
        connection.execute(sa.text("UPDATE evidence_entry SET verb = 'x'"))


@pytest.mark.usefixtures("three_entries")
def test_the_finding_names_the_very_entry(ground: Ground, owner_engine: sa.Engine, db: Session) -> None:
    [gone] = db.execute(sa.text(f"SELECT {NTH.format(n=2)}")).scalars()
    tamper(owner_engine, f"DELETE FROM evidence_entry WHERE id = '{gone}'")
    assert any(str(gone) in finding.en for finding in findings(ground))


FORGED = """
INSERT INTO evidence_entry
  (id, verb, outcome, district, actor_id, role, occurred_at, recorded_at, written, hash)
SELECT '01900000-0000-7000-8000-000000000001', verb, outcome, district, actor_id, role, occurred_at,
       recorded_at - interval '1 hour', {written}, hash
FROM evidence_entry WHERE id = {source}
"""

UNREADABLE = {
    "a word no enumeration knows": (
        f"UPDATE evidence_entry SET outcome = 'maybe' WHERE id = {NTH.format(n=2)}"
    ),
    "bytes that are a list": f"UPDATE evidence_entry SET written = '[]' WHERE id = {NTH.format(n=2)}",
    "bytes without a place": (
        f"UPDATE evidence_entry SET written = '{{\"subjects\":[{{}}]}}' WHERE id = {NTH.format(n=2)}"
    ),
    "a time without end": f"UPDATE evidence_entry SET recorded_at = 'infinity' WHERE id = {NTH.format(n=2)}",
    "a time moved by less than a millisecond": (
        "UPDATE evidence_entry SET recorded_at = recorded_at + interval '300 microseconds' "
        f"WHERE id = {NTH.format(n=2)}"
    ),
    "a subject of no known kind": "UPDATE evidence_link SET subject_type = 'moon' WHERE subject_key = 'B'",
}


@pytest.mark.usefixtures("three_entries")
@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_any_more_is_a_finding_and_no_error(
    ground: Ground, owner_engine: sa.Engine, case: str
) -> None:
    tamper(owner_engine, UNREADABLE[case])
    assert findings(ground)


@pytest.mark.usefixtures("three_entries")
@pytest.mark.parametrize("written", ["written", "convert_to('{\"subjects\":[]}', 'UTF8')"])
def test_an_entry_that_was_slipped_in_is_named(ground: Ground, owner_engine: sa.Engine, written: str) -> None:
    tamper(owner_engine, FORGED.format(written=written, source=NTH.format(n=2)))
    assert "added" in {finding.code for finding in findings(ground)}


@pytest.mark.usefixtures("three_entries")
def test_deeds_done_while_the_verifier_reads_are_no_findings(ground: Ground, doing: Doing) -> None:
    """A deed is done after the entries were read and before the chains are."""

    class Meanwhile(Tally):
        def __setattr__(self, name: str, value: int) -> None:
            super().__setattr__(name, value)
            if (name, value) == ("entries", 3):
                note(doing, 4, "A")

    with ground.sessions() as db:
        assert not list(verify(db, Meanwhile()))
    assert not findings(ground)


@pytest.mark.usefixtures("three_entries")
def test_a_table_of_evidence_cannot_be_emptied(owner_engine: sa.Engine) -> None:
    with (
        owner_engine.begin() as connection,
        pytest.raises(sa.exc.IntegrityError, match="only ever added"),
    ):
        connection.execute(sa.text("TRUNCATE evidence_entry"))


@pytest.mark.usefixtures("three_entries")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM evidence_link WHERE subject_key = 'A' AND seq = 3",
        f"UPDATE evidence_entry SET written = written || ' ' WHERE id = {NTH.format(n=2)}",
        f"DELETE FROM evidence_entry WHERE id = {NTH.format(n=1)}",
    ],
)
def test_a_trace_over_touched_evidence_says_so(
    ground: Ground, owner_engine: sa.Engine, statement: str
) -> None:
    subject = Subject(SubjectType.CARD, "A")
    with ground.sessions() as db:
        assert chain(db, subject).intact
    tamper(owner_engine, statement)
    with ground.sessions() as db:
        assert not chain(db, subject).intact

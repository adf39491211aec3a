"""./lpg manage keys: the installation's keys are changed while it serves, in steps that may be broken off.

rotate index|wrapping|label     make a new key; then start the serving processes again
rewrap                          after a new wrapping key
reindex                         after a new index key
retire index|wrapping|label N   once nothing needs the old one

A label lives as long as the key it was printed under: that key goes once every such label is replaced.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core.doing import Doing
from core.ground import Ground
from core.sealed import Keyring, Purpose
from cylinders.label_queries import labels_needing
from evidence.deed import Answer
from registry import reindexing

CHANGED = (Purpose.INDEX.value, Purpose.WRAPPING.value, Purpose.LABEL.value)
NEXT = {
    Purpose.INDEX: "start the serving processes again, then: keys reindex",
    Purpose.WRAPPING: "start the serving processes again, then: keys rewrap",
    Purpose.LABEL: "start the serving processes again; labels are printed under it from then on",
}


@dataclass(frozen=True, slots=True)
class Changing:
    """``doing``: as whom and where; no district: where the operator said."""

    ground: Ground
    doing: Callable[[int | None], Doing]

    def do(self, action: str, purpose: str | None, version: int | None) -> int:
        if (action in ("rotate", "retire")) != (purpose is not None) or (action == "retire") != (
            version is not None
        ):
            print(f"keys {action}: see ./lpg manage keys --help", file=sys.stderr)
            return 2
        match action:
            case "rotate":
                return self.rotate(Purpose(purpose or ""))
            case "rewrap":
                return self.rewrap()
            case "reindex":
                return self.reindex()
            case "retire":
                return self.retire(Purpose(purpose or ""), version or 0)
        return self.show()

    def show(self) -> int:
        with self.ground.reads() as db:
            for purpose in (Purpose(word) for word in CHANGED):
                keys = self.ground.keyring.keys(purpose)
                for version in keys.versions:
                    if version == keys.current:
                        print(f"{purpose} {version}: current")
                    else:
                        rows = _still_needing(db, self.ground.keyring, purpose, version)
                        print(f"{purpose} {version}: {rows} rows still need it")
        return 0

    def rotate(self, purpose: Purpose) -> int:
        """The file first: an entry without its key would lie."""
        path = self.ground.config.keyring_path
        changed = Keyring.load(path).with_new_key(purpose)
        changed.replace(path)
        version = changed.keys(purpose).current
        reindexing.note_rotation(self.doing(None), purpose=purpose, version=version)
        print(f"{purpose} key {version} is current; {NEXT[purpose]}")
        return 0

    def rewrap(self) -> int:
        done = 0
        while (batch := int(reindexing.rewrap_batch(self.doing(None))["done"])) > 0:
            done += batch
            _say(f"{done} subjects' keys")
        print(f"\n{done} subjects' keys wrapped under key {self.ground.keyring.wrapping.current}")
        return 0

    def reindex(self) -> int:
        people = self._all(lambda after: reindexing.reindex_people(self.doing(None), after=after), "people")
        places = 0
        with self.ground.reads() as db:
            districts = reindexing.districts_with_premises(db)
        for district in districts:
            places += self._all(
                lambda after, at=district: reindexing.reindex_premises(self.doing(at), after=after),  # type: ignore[misc]
                f"premises of {district}",
            )
        version = self.ground.keyring.index.current
        print(f"\n{people} indexes of people and {places} of premises written under key {version}")
        return 0

    def _all(self, batch: Callable[[UUID | None], Answer], what: str) -> int:
        looked, written, after = 0, 0, None
        while (done := batch(after))["last"] is not None:
            looked, written, after = looked + done["looked_at"], written + done["written"], UUID(done["last"])
            _say(f"{what}: {looked} looked at, {written} written")
        return written

    def retire(self, purpose: Purpose, version: int) -> int:
        """Rows first: a key that went while rows need it leaves them unreadable for ever."""
        path = self.ground.config.keyring_path
        keyring = Keyring.load(path)
        if version not in keyring.keys(purpose).by_version or version == keyring.keys(purpose).current:
            print(f"{purpose} key {version} is not an older key of this keyring", file=sys.stderr)
            return 2
        with self.ground.reads() as db:
            needing = _still_needing(db, keyring, purpose, version)
        if needing:
            print(f"{needing} rows still need {purpose} key {version}; nothing was retired", file=sys.stderr)
            return 1
        if purpose is Purpose.INDEX:
            reindexing.forget_old_indexes(self.doing(None), version=version)
        keyring.without_key(purpose, version).replace(path)
        print(f"{purpose} key {version} is gone; start the serving processes again")
        return 0


def _still_needing(db: Session, keyring: Keyring, purpose: Purpose, version: int) -> int:
    """How many rows only this key understands: people's and places', or labels on bottles."""
    if purpose is Purpose.LABEL:
        return labels_needing(db, version)
    return reindexing.still_needing(db, keyring, purpose, version)


def _say(text: str) -> None:
    print(f"\r{text}", end="", file=sys.stderr)

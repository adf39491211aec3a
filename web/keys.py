"""./lpg manage keys: the installation's keys are changed while it serves, in steps that may be broken off.

rotate index|wrapping     make a new key; then start the serving processes again
rewrap                    after a new wrapping key
reindex                   after a new index key
retire index|wrapping N   once nothing needs the old one
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from core.doing import Doing
from core.ground import Ground
from core.sealed import Keyring, Purpose
from evidence.deed import Answer
from registry import reindexing

CHANGED = (Purpose.INDEX.value, Purpose.WRAPPING.value)


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
                        rows = reindexing.still_needing(db, self.ground.keyring, purpose, version)
                        print(f"{purpose} {version}: {rows} rows still need it")
        return 0

    def rotate(self, purpose: Purpose) -> int:
        """The file first: an entry without its key would lie."""
        path = self.ground.config.keyring_path
        changed = Keyring.load(path).with_new_key(purpose)
        changed.replace(path)
        version = changed.keys(purpose).current
        reindexing.note_rotation(self.doing(None), purpose=purpose, version=version)
        after = "reindex" if purpose is Purpose.INDEX else "rewrap"
        print(f"{purpose} key {version} is current; start the serving processes again, then: keys {after}")
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
            needing = reindexing.still_needing(db, keyring, purpose, version)
        if needing:
            print(f"{needing} rows still need {purpose} key {version}; nothing was retired", file=sys.stderr)
            return 1
        if purpose is Purpose.INDEX:
            reindexing.forget_old_indexes(self.doing(None), version=version)
        keyring.without_key(purpose, version).replace(path)
        print(f"{purpose} key {version} is gone; start the serving processes again")
        return 0


def _say(text: str) -> None:
    print(f"\r{text}", end="", file=sys.stderr)

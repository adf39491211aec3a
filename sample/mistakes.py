"""What people get wrong, and how it is put right without erasing anything.

A courier types another bottle's number, twice: both contradict what is on record, and the bottles are held.
One contradiction is resolved by the district, which names the fact that is true and how it was found out; the
other still stands at night. A clerk receives a bottle that stands in somebody's kitchen: the scan is declared
an error, and the bottle is with its family again.
"""

from dataclasses import replace
from typing import Any

from sample.agenda import Agenda
from sample.client import Unexpected
from sample.door import code_of
from sample.firms import SUPPLY_SITE
from sample.morning import weighed
from sample.noes import Asking
from sample.offline import Offline, enrolled
from sample.phone import Phone
from sample.places import CHANGNING
from sample.planning import binding_of
from sample.scene import Scene

COLLEAGUE = "trike_3"
"""The vehicle of another courier of the firm."""


class Mistakes:
    def __init__(self, scene: Scene, agenda: Agenda, offline: Offline):
        self.scene = scene
        self.offline = offline
        self.regulator = f"regulator {CHANGNING}"
        agenda.at_hour(14, 5, self._wrong_numbers_are_typed)
        agenda.at_hour(14, 40, self._one_is_resolved)
        agenda.at_hour(15, 20, self._a_receipt_is_declared_an_error)

    # --- a wrong number -----------------------------------------------------------------------------------

    def _wrong_numbers_are_typed(self) -> None:
        """As if these bottles had been taken back empty where he stands: others have them, by their scans."""
        driven = self.offline.other
        phone = enrolled(self.scene, self.scene.cast.mistypes, driven)
        order_id = driven.visited[0]
        for number in (self._resolved_one, self._open_one):
            body = {
                "order_id": order_id,
                "line_id": driven.lines[order_id][0]["line_id"],
                "code": code_of(self.scene, number),
            }
            (answer,) = phone.send([phone.write("take_empty", body)], f"a wrong number: {number}")["items"]
            if answer["status"] != "held":
                raise Unexpected(f"a wrong number: expected the bottle held, got {answer}")
            self.scene.count("bottles held for a contradiction")
        self._keys_nobody_takes(phone)
        self._held_is_not_filled()

    def _keys_nobody_takes(self, phone: Phone) -> None:
        """A device has one key for life, and takes it from the courier who is bound to it."""
        asking = Asking(self.scene)
        colleague = binding_of(COLLEAGUE).courier
        another = replace(phone, courier=self.scene.world.caller(colleague))
        asking.no(
            colleague, f"{phone.path}/keys", another.key_with_proof(), "another's phone is enrolled",
            ["device.not_bound"],
        )  # fmt: skip
        anew = Phone(phone.api, phone.courier, phone.path, phone.district, phone.device_id)
        asking.no(
            phone.courier.name, f"{phone.path}/keys", anew.key_with_proof(),
            "a second key", ["device.has_key"],
        )  # fmt: skip

    def _held_is_not_filled(self) -> None:
        bottle = self.scene.cast.bottle(self._open_one)
        form, filler = weighed(self.scene, bottle), f"filler_{bottle.owner_firm}"
        codes = ["refill.custody_conflict"]
        Asking(self.scene).no(filler, "/fillings", form, "fill a bottle in dispute", codes)

    @property
    def _resolved_one(self) -> int:
        """A bottle that came to a home by a late scan."""
        phone_said = self.offline.delivered
        return phone_said[0][1]

    @property
    def _open_one(self) -> int:
        """One that has stood in a kitchen all day."""
        user = self.scene.cast.tomorrow[0]
        return self.scene.cast.held[user.number][0].number

    def _one_is_resolved(self) -> None:
        """Somebody looked: the bottle is where the late scan said. The other fact stays, as an error."""
        cylinder_id = self.scene.world.cylinders[self._resolved_one]
        before = self._holder_of(cylinder_id)
        conflict = self._conflict_of(cylinder_id)
        path = f"/cylinders/{cylinder_id}/conflicts/{conflict['id']}/resolutions"
        named = {"true_fact_id": conflict["standing_fact_id"], "reason": "code_misread"}
        resolved = self.scene.do(self.regulator, path, named, "a contradiction is resolved")
        told = self._facts_of(cylinder_id)
        kept = [one for one in told["items"] if one["id"] == conflict["fact_id"]]
        if resolved["resolution"] != "code_misread" or not kept or self._holder_of(cylinder_id) != before:
            raise Unexpected(f"a contradiction: expected it resolved and both facts kept, got {told}")
        self.scene.count("contradictions resolved by a person")

    def _conflict_of(self, cylinder_id: str) -> dict[str, Any]:
        conflicts = self.scene.api.pages(self.scene.world.caller(self.regulator), "/cylinders/conflicts")
        return next(one for one in conflicts if one["cylinder_id"] == cylinder_id)

    # --- a wrong receipt ----------------------------------------------------------------------------------

    def _a_receipt_is_declared_an_error(self) -> None:
        user = self.scene.cast.tomorrow[-1]
        number = self.scene.cast.held[user.number][0].number
        cylinder_id = self.scene.world.cylinders[number]
        before = self._holder_of(cylinder_id)
        site = self.scene.world.sites[SUPPLY_SITE[user.firm]]
        code = {"code": code_of(self.scene, number)}
        self.scene.do(f"clerk {user.firm}", f"/sites/{site}/receipts", code, f"receive {number} by mistake")
        if self._holder_of(cylinder_id) == before:
            raise Unexpected(f"bottle {number}: expected a site that scans it to have it")
        wrong = self._facts_of(cylinder_id)["items"][-1]
        path = f"/cylinders/{cylinder_id}/facts/{wrong['id']}/error-declarations"
        said = {"reason": "did_not_occur", "corrective_fact_ids": []}
        self.scene.do(f"dispatcher {user.firm}", path, said, "a scan is declared an error")
        told = self._facts_of(cylinder_id)["items"]
        if self._holder_of(cylinder_id) != before or wrong["id"] not in {one["id"] for one in told}:
            raise Unexpected(f"an error declared: expected the bottle back with its family, got {told}")
        self.scene.count("scans declared an error")

    def _holder_of(self, cylinder_id: str) -> tuple[str, str]:
        read = self.scene.api.read(self.scene.world.caller(self.regulator), f"/cylinders/{cylinder_id}")
        return read["custody"]["holder_kind"], read["custody"]["holder_id"]

    def _facts_of(self, cylinder_id: str) -> dict[str, Any]:
        who = self.scene.world.caller(self.regulator)
        facts: dict[str, Any] = self.scene.api.read(who, f"/cylinders/{cylinder_id}/facts")
        return facts

"""Three hours without a network: what one courier's phone signed comes late, out of order and twice.

The bottles are where the scans say, whatever came first. A second courier types another bottle's number:
that contradicts what is on record, and the bottle is held until a person says what is true. A copy of the
phone is noticed by its second string for one number.
"""

from typing import Any

from sample.agenda import Agenda
from sample.client import Unexpected
from sample.phone import Phone
from sample.places import CHANGNING
from sample.planning import Driven, binding_of
from sample.scene import Scene

MOST_AT_ONCE = 50


class Offline:
    """``driven``: the round of the courier without network, and of the one who mistypes."""

    def __init__(self, scene: Scene, agenda: Agenda, rounds: list[Driven]):
        self.scene = scene
        self.delivered: list[tuple[int, int, int]] = []
        """Empty, full one and user of each swap that the phone wrote down."""
        cast = scene.cast
        self.driven = _round_of(rounds, cast.without_network)
        self.other = _round_of(rounds, cast.mistypes)
        agenda.at_hour(10, 58, self._network_is_gone)
        agenda.at_hour(13, 58, self._network_is_back)

    def _network_is_gone(self) -> None:
        self.driven.phone = enrolled(self.scene, self.scene.cast.without_network, self.driven)

    def _network_is_back(self) -> None:
        """The later half first, then the earlier, then everything once more."""
        phone = self.driven.phone
        self.driven.phone = None
        if phone is None or not phone.written:
            raise Unexpected("a phone without network: expected something written down, found nothing")
        self.delivered = phone.delivered
        half = len(phone.written) // 2
        first = self._send(phone, phone.written[half:], "the later half")
        first += self._send(phone, phone.written[:half], "the earlier half")
        again = self._send(phone, phone.written, "all of it again")
        self._must_be_the_same(first, again)
        self._must_be_where_scanned(phone)
        self._is_copied(phone)
        self.scene.count("scans signed offline", len(phone.written))

    def _send(self, phone: Phone, items: list[dict[str, str]], what: str) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        for start in range(0, len(items), MOST_AT_ONCE):
            told = phone.send(items[start : start + MOST_AT_ONCE], f"late scans: {what}")
            answers += told["items"]
        if what == "all of it again" and (told["contiguous_seq"], told["missing"]) != (len(items), []):
            raise Unexpected(f"late scans: expected all {len(items)} there, got {told}")
        return answers

    def _must_be_the_same(self, first: list[dict[str, Any]], again: list[dict[str, Any]]) -> None:
        answered = {one["seq"]: (one["status"], one["codes"]) for one in first}
        for one in again:
            if one["status"] != "duplicate" or (one["first"], one["codes"]) != answered[one["seq"]]:
                raise Unexpected(f"a scan sent twice: expected {answered[one['seq']]} again, got {one}")
        if any(status not in ("accepted", "flagged", "held") for status, _ in answered.values()):
            raise Unexpected(f"late scans: expected each of them recorded, got {answered}")
        self.scene.count("scans sent twice", len(again))

    def _must_be_where_scanned(self, phone: Phone) -> None:
        regulator = self.scene.world.caller(f"regulator {CHANGNING}")
        for _, full, number in phone.delivered:
            path = f"/cylinders/{self.scene.world.cylinders[full]}"
            custody = self.scene.api.read(regulator, path)["custody"]
            household = self.scene.world.users[number].household_id
            if (custody["holder_kind"], custody["holder_id"]) != ("household", household):
                raise Unexpected(f"bottle {full}: expected it with the household, got {custody}")

    def _is_copied(self, phone: Phone) -> None:
        """The same number, another string: kept aside, and an alarm."""
        other = phone.forged(1, "bring_back", {"round_id": self.driven.round_id, "code": "31YLA900002"})
        (answer,) = phone.send([other], "another string for a number that is taken")["items"]
        if "device_forked" not in (answer["status"], *answer["codes"]):
            raise Unexpected(f"a copied phone: expected an alarm, got {answer}")
        self.scene.count("copied phones noticed")


def _round_of(rounds: list[Driven], vehicle: str) -> Driven:
    courier = binding_of(vehicle).courier
    return next(driven for driven in rounds if driven.courier == courier)


def enrolled(scene: Scene, vehicle: str, driven: Driven) -> Phone:
    device_id = scene.world.devices[f"phone_{vehicle}"]
    phone = Phone(
        scene.api,
        scene.world.caller(driven.courier),
        f"/districts/{CHANGNING}/devices/{device_id}",
        CHANGNING,
        device_id,
    )
    phone.enrol()
    return phone

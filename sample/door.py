"""At the door: who is there, what is shown, what the courier finds, and what changes hands."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core import clock
from dispatch.safety.catalogue import ITEMS
from sample.cast import Booking
from sample.client import Unexpected
from sample.phone import Phone
from sample.planning import Driven
from sample.scene import Scene, stamp

MEASURED_MM = {"burner_distance": 1_000, "hose_length": 1_500}
CHECKERS_SIGNATURE = hashlib.sha256(b"the image of a courier's signature").hexdigest()
USERS_SIGNATURE = hashlib.sha256(b"the image of a user's signature").hexdigest()
DROP_PHOTO = hashlib.sha256(b"the photograph of a bottle at a door").hexdigest()
BY_VIDEO = {
    "mode": "video",
    "remote_reason": "contactless",
    "user_signed": False,
    "user_signature_sha256": None,
}
FOREIGN_LABEL = "31YLZ900001"
"""A bottle of another firm that no file here knows."""


Tried = Callable[[Driven, str, dict[str, Any]], None]
"""What is tried at a door before the handover, with the form that would be right."""


def visit(scene: Scene, stories: "Stories", driven: Driven, order_id: str, tried: Tried) -> None:
    booking = scene.orders[order_id]
    for position, line in enumerate(driven.lines[order_id]):
        if booking == scene.cast.nobody_home:
            body = {"line_id": line["line_id"], "reason": "nobody_home"}
            scene.do_here(
                driven.courier, f"orders/{order_id}/failures", body, f"nobody home {booking.number}"
            )
            scene.count("nobody home")
            continue
        Door(scene, stories, driven, order_id, booking, line, tried, is_first=position == 0).hand_over()


@dataclass
class Door:
    """One line's handover: arrive, check, take the empty, prove it."""

    scene: Scene
    stories: "Stories"
    driven: Driven
    order_id: str
    booking: Booking
    line: dict[str, Any]
    tried: Tried
    is_first: bool

    def hand_over(self) -> None:
        scene = self.scene
        if self.driven.phone is not None:
            self._write_down(self.driven.phone)
            return
        if self.booking == scene.cast.refuses_check:
            self._refuse_the_check()
            return
        self.tried(self.driven, self.order_id, self._form({}))
        proof = self._proof()
        for shown, was_shown in self.stories.wrong_things_at(self.booking):
            form = self._form(proof) | shown(self)
            path = f"orders/{self.order_id}/deliveries"
            rule = "D04" if was_shown == "card" else "D06"
            scene.refused_here(self.driven.courier, path, form, f"at the door: {was_shown}", {rule})
            self.is_first = False  # the check is on record, although nothing changed hands
            scene.count(f"refused at the door: {was_shown}")
        if self.booking == scene.cast.contactless:
            self._must_have_a_photograph(proof)
        if self.booking == scene.cast.wrong_code:
            self._must_not_be_left()
            wrong = {"kind": "door_code", "value": f"{(int(proof['value']) + 1) % 1_000_000:06}"}
            self._deliver(wrong, "wrong_code")
            self.is_first = False
            scene.count("wrong door codes")
        delivery = self._deliver(proof, "withheld" if self.booking.finding else "delivered")
        if delivery["outcome"] == "withheld":
            scene.count("withheld")
            scene.shown.setdefault("withheld order", self.order_id)
            scene.shown.setdefault("withheld check", delivery["check_id"])
            return
        scene.count("deliveries")
        if delivery["drop_place"] is not None:
            scene.count("left at the door")
        if self.booking.again:
            scene.count("supplied again")
        scene.shown.setdefault("delivered order", self.order_id)
        self._swapped()

    def _must_have_a_photograph(self, proof: dict[str, str]) -> None:
        form = self._form(proof) | {"drop": {"place": "doorstep"}}
        self._refused_to_be_left(form, {"contactless.no_photo"})

    def _must_not_be_left(self) -> None:
        """This home did not ask for it; and what is left is signed for by nothing but the code."""
        form = self._form({"kind": "card_qr", "value": self.scene.world.qr_codes[self.card_id]})
        codes = {"contactless.not_ordered", "contactless.no_photo", "contactless.code_needed"}
        self._refused_to_be_left(form | {"drop": {"place": "doorstep"}}, codes)

    def _refused_to_be_left(self, form: dict[str, Any], codes: set[str]) -> None:
        path, what = f"orders/{self.order_id}/deliveries", f"left at the door of {self.booking.number}"
        refused = self.scene.refused_here(self.driven.courier, path, form, what, {"A16"})
        if set(refused.codes) != codes:
            raise Unexpected(f"{what}: expected {codes}, got {refused.codes}")
        self.is_first = False  # the check is on record, although nothing changed hands
        self.scene.count("refused at the door: left")

    def _swapped(self) -> None:
        self.driven.visited.append(self.order_id)
        self.driven.taken.append(self.empty)
        del self.driven.aboard[self.line["line_id"]]

    def _write_down(self, phone: Phone) -> None:
        """No network: the phone signs what happens, and sends it when it can."""
        proof = {"kind": "card_qr", "value": self.scene.world.qr_codes[self.card_id]}
        form = {"order_id": self.order_id, **self._form(proof)}
        point = form.pop("point")
        del form["occurred_at"]
        if self.booking.finding:
            withheld = {name: form[name] for name in ("order_id", "line_id")} | {"check": self._check()}
            phone.write("withhold", withheld, point)
            self.scene.count("withheld")
            return
        phone.write("deliver", form, point)
        phone.delivered.append((self.empty, self.driven.aboard[self.line["line_id"]], self.booking.number))
        self.scene.count("deliveries")
        self._swapped()

    def _refuse_the_check(self) -> None:
        """Who lets nobody look gets no gas. That is recorded, and the bottle rides back."""
        proof = {"kind": "card_qr", "value": self.scene.world.qr_codes[self.card_id]}
        delivery = self._deliver(proof, "withheld", check=refused_check())
        self.scene.count("checks refused")
        self.scene.shown["refused check"] = delivery["check_id"]

    def _deliver(
        self, proof: dict[str, str], expected: str, check: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        what = f"deliver to {self.booking.number}"
        form = self._form(proof)
        if check is not None:
            form["check"] = check
        path = f"orders/{self.order_id}/deliveries"
        delivery: dict[str, Any] = self.scene.do_here(self.driven.courier, path, form, f"{what}: {expected}")
        if delivery["outcome"] != expected:
            raise Unexpected(f"{what}: expected {expected}, got {delivery}")
        return delivery

    def _form(self, proof: dict[str, str]) -> dict[str, Any]:
        at = self.booking.user.point
        left = self.booking == self.scene.cast.contactless
        return {
            "line_id": self.line["line_id"],
            "card_credential": self.scene.world.qr_codes[self.card_id],
            "check": self._check() if self.is_first else None,
            "full_code": code_of(self.scene, self.driven.aboard[self.line["line_id"]]),
            "empty_code": code_of(self.scene, self.empty),
            "proof": proof,
            "connected": not left,
            "leak_test_passed": None if left else True,
            "drop": {"place": "doorstep", "photo_sha256": DROP_PHOTO} if left else None,
            "point": {"lon": at.lon, "lat": at.lat, "datum": "wgs84"},
            "occurred_at": stamp(clock.now()),
        }

    def _proof(self) -> dict[str, str]:
        """Who booked over the web reads a code to the courier; others show their card, one signs."""
        if self.booking == self.scene.cast.signs:
            return {"kind": "signature", "sha256": USERS_SIGNATURE}
        if self.booking.by_hotline or self.booking.finding:
            return {"kind": "card_qr", "value": self.scene.world.qr_codes[self.card_id]}
        number = self.booking.number
        path = f"orders/{self.order_id}"
        self.scene.do_here(self.driven.courier, f"{path}/arrivals", {}, f"arrive at {number}")
        code = self.scene.read_here(f"resident {number}", f"{path}/door-code")["code"]
        return {"kind": "door_code", "value": code}

    def _check(self) -> dict[str, Any]:
        made = check_body(self.booking.finding, in_catering=not self.booking.user.is_household)
        return made | BY_VIDEO if self.booking == self.scene.cast.contactless else made

    @property
    def card_id(self) -> str:
        return self.scene.line_cards[self.line["line_id"]]

    @property
    def empty(self) -> int:
        """The number of the bottle on this line's card."""
        user = self.scene.user(self.booking.user)
        place = user.card_ids.index(self.card_id)
        return self.scene.cast.held[self.booking.number][place].number


def check_body(finding: str | None, *, in_catering: bool) -> dict[str, Any]:
    """A safety check that passes everything but ``finding``; what does not apply is not answered."""
    asked = [item for item in ITEMS.values() if item.mandatory or item.code == finding]
    if in_catering and finding != "leak_alarm":
        asked.append(ITEMS["leak_alarm"])
    items = []
    for item in asked:
        answer: dict[str, Any] = {"item": item.code, "result": "fail" if item.code == finding else "pass"}
        if item.unit is not None:
            answer["measured"] = MEASURED_MM[item.code]
        items.append(answer)
    return {
        "mode": "on_site",
        "items": items,
        "user_signed": True,
        "briefed": True,
        "checker_signature_sha256": CHECKERS_SIGNATURE,
        "user_signature_sha256": USERS_SIGNATURE,
    }


def refused_check() -> dict[str, Any]:
    return {
        "mode": "on_site",
        "refused": True,
        "items": [],
        "user_signed": False,
        "briefed": True,
        "checker_signature_sha256": CHECKERS_SIGNATURE,
    }


class Stories:
    """The day's small mishaps, each at the door that the cast gave it."""

    def __init__(self, scene: Scene):
        self.scene = scene
        self._has_tried_another_size = False

    def wrong_things_at(self, booking: Booking) -> list[tuple[Callable[[Door], dict[str, Any]], str]]:
        """What is shown first at this door and must not be taken: how the form differs, and its name."""
        shown: dict[str, Callable[[Door], dict[str, Any]]] = {
            "empty": lambda door: {"empty_code": code_of(self.scene, self._bottle_of_another(door.booking))},
            "foreign": lambda door: {"empty_code": FOREIGN_LABEL},
            "card": lambda door: {"card_credential": self._card_of_another(door)},
            "label": lambda door: {"empty_code": None, "empty_exception": "tag_damaged"},
        }
        return [(shown[what], what) for what, one in self.scene.cast.wrong_things.items() if one == booking]

    def _bottle_of_another(self, booking: Booking) -> int:
        """A bottle of the same firm that stands on somebody else's card."""
        busy = {one.number for one in self.scene.cast.with_new_card}
        return next(
            held[0].number
            for number, held in self.scene.cast.held.items()
            if number not in busy and self.scene.cast.user(number).firm == booking.user.firm
        )

    def _card_of_another(self, door: Door) -> str:
        return next(code for card_id, code in self.scene.world.qr_codes.items() if card_id != door.card_id)

    def load_another_size(self, driven: Driven, line: dict[str, Any]) -> None:
        """Once in the day a courier takes up a bottle of another size than was ordered."""
        others = [
            numbers[0]
            for (firm, model), numbers in sorted(self.scene.at_supply.items())
            if firm == driven.firm and model == "YSP12" and line["cylinder_model"] == "YSP35.5" and numbers
        ]
        if self._has_tried_another_size or not others:
            return
        self._has_tried_another_size = True
        body = {"line_id": line["line_id"], "code": code_of(self.scene, others[0])}
        path = f"rounds/{driven.round_id}/loads"
        self.scene.refused_here(driven.courier, path, body, "load a bottle of another size", {"D09"})
        self.scene.count("refused loads")


def code_of(scene: Scene, number: int) -> str:
    return scene.cast.bottle(number).use_registration_code

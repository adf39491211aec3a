"""What stopped supply in the morning is put right by noon, and the same homes are supplied in the evening.

A hazard closes when it was told in writing, mended, and looked at again by another person than who found
it. A refused check is made good by a check. Who was not at home books again.
"""

from core import clock
from sample.agenda import Agenda
from sample.cast import EVENING, Booking
from sample.client import Unexpected
from sample.door import USERS_SIGNATURE, check_body
from sample.morning import book
from sample.places import CHANGNING
from sample.road import Road
from sample.scene import Scene, stamp


def put_right(scene: Scene, agenda: Agenda, road: Road) -> None:
    """Put all of it on the agenda."""
    hazard = Hazard(scene, scene.cast.hazard_at_home)
    agenda.at_hour(11, 20, hazard.book_while_it_stands)
    agenda.at_hour(12, 30, hazard.say_it_is_mended)
    agenda.at_hour(13, 30, hazard.look_again)
    agenda.at_hour(14, 20, lambda: let_the_check_be_made(scene))
    agenda.at_hour(15, 0, lambda: book_the_evening(scene))
    agenda.at_hour(16, 45, road.plan_the_evening)


class Hazard:
    """隐患: found by a courier, told in writing, mended by the family, closed when another looked again."""

    def __init__(self, scene: Scene, booking: Booking):
        self.scene = scene
        self.place = booking.user
        self.user = scene.user(booking.user)
        self.clerk = f"clerk {booking.user.firm}"
        self.closer = f"regulator {CHANGNING}"
        self.path = ""
        self.check_id = ""

    def book_while_it_stands(self) -> None:
        self._must_refuse_booking("hazard open")
        (hazard,) = self.scene.read_here(self.closer, "hazards", household_id=self.user.household_id)["items"]
        if hazard["state"] != "told" or not hazard["notices"]:
            raise Unexpected(f"a hazard that stops supply: expected it told in writing, got {hazard}")
        receipts = [receipt for notice in hazard["notices"] for receipt in notice["receipts"]]
        if not any(receipt["signature_sha256"] == USERS_SIGNATURE for receipt in receipts):
            raise Unexpected(f"a notice: expected the user's signature as proof, got {hazard['notices']}")
        self.path, self.check_id = f"hazards/{hazard['id']}", hazard["check_id"]
        self.scene.shown["hazard"] = hazard["id"]
        self.scene.count("notices received")

    def say_it_is_mended(self) -> None:
        self.scene.do_here(self.clerk, f"{self.path}/mendings", {}, "mending claimed")
        self._must_refuse_booking("mending claimed")
        first_check = {"check_id": self.check_id}
        self.scene.refused_here(
            self.closer, f"{self.path}/closings", first_check, "close without another look", {"H01", "H02"}
        )

    def look_again(self) -> None:
        made = check_again(self.scene, self.place.number, "recheck", "looked at again")
        self.scene.do_here(self.closer, f"{self.path}/closings", {"check_id": made}, "hazard closed")
        self.scene.count("hazards closed")

    def _must_refuse_booking(self, why: str) -> None:
        again = self.scene.booking_body(self.place, EVENING, channel="hotline")
        self.scene.refused_here(
            self.clerk, "orders", again, f"book again for {self.place.number}, {why}", {"P12"}
        )
        self.scene.count("refused bookings")


def let_the_check_be_made(scene: Scene) -> None:
    """Refused in the morning: no supply until somebody may look."""
    booking = scene.cast.refuses_check
    again = scene.booking_body(booking.user, EVENING, channel="hotline")
    who = f"clerk {booking.user.firm}"
    scene.refused_here(who, "orders", again, f"book again for {booking.number}, check refused", {"P12"})
    scene.count("refused bookings")
    check_again(scene, booking.number, "survey", "checked after all")
    scene.count("checks made after all")


def book_the_evening(scene: Scene) -> None:
    for booking in scene.cast.again:
        book(scene, booking)
    scene.shown["waiting order"] = book(scene, scene.cast.waiting)


def check_again(scene: Scene, number: int, reason: str, what: str) -> str:
    """A check without an order, by another person than the courier, that finds nothing any more."""
    place = scene.cast.user(number)
    body = {
        **check_body(None, in_catering=not place.is_household),
        "household_id": scene.world.users[number].household_id,
        "reason": reason,
        "checked_at": stamp(clock.now()),
    }
    return str(scene.do_here(f"second regulator {CHANGNING}", "checks", body, what)["id"])

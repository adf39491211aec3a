"""The rules of booking and of the place that no sample home breaks by itself, each broken once and put right.

A survey says something of a sound home, the booking is refused for it, and a second survey takes it back.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sample.build import place_body
from sample.cast import NEWCOMER
from sample.client import Unexpected
from sample.firms import DEMO_DAY
from sample.noes import Asking, registered_in_qingpu
from sample.people import person
from sample.places import CHANGNING, QINGPU, SamplePremises
from sample.scene import Scene
from sample.world import zone_key

CLEARED_OUT = date(2025, 1, 8)
AFTER_THE_PAPERS = date(2027, 1, 4)
KEPT_DAY = date(2024, 6, 15)
TO_THE_EDGE_DEG = 0.0002  # some twenty metres


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What somebody says of a place, what that refuses, and how it really is."""

    what: str
    seen: dict[str, Any]
    codes: tuple[str, ...]
    really: dict[str, Any]


KITCHEN = {"bottle_place": "kitchen"}
AT_HOME = (
    Surveyed(
        "the bottle in a bedroom", {"bottle_place": "bedroom"}, ("premises.bottle_in_lived_in_room",), KITCHEN
    ),
    Surveyed(
        "a coal stove beside it",
        {"other_fuel_in_room": True},
        ("premises.other_fuel_in_room",),
        {"other_fuel_in_room": False},
    ),
    Surveyed(
        "a crowded place without an alarm",
        {"crowded": True, "leak_alarm": False},
        ("premises.no_leak_alarm", "premises.crowded_indoors"),
        {"crowded": False, "leak_alarm": None},
    ),
    Surveyed("a high-rise", {"height_m": 33}, ("premises.high_rise",), {}),
)
AT_A_RESTAURANT = (
    Surveyed(
        "the bottle among the tables",
        {"bottle_place": "dining_area"},
        ("premises.bottle_in_dining_area",),
        KITCHEN,
    ),
    Surveyed("no leak alarm", {"leak_alarm": False}, ("premises.no_leak_alarm",), {"leak_alarm": True}),
)
IN_QINGPU = (
    Surveyed(
        "a room let by itself", {"rental": "single_room"}, ("premises.let_room",), {"rental": "not_let"}
    ),
    Surveyed("a lift", {"lift": True}, ("premises.lift",), {"lift": False}),
    Surveyed("piped gas", {"piped_gas": True}, ("premises.piped_gas",), {"piped_gas": False}),
)


def break_each_rule_once(scene: Scene) -> None:
    """At the offices, before anybody drives."""
    asking, cast = Asking(scene), scene.cast
    for surveyed in AT_HOME:
        _refused_as_surveyed(asking, cast.too_late, surveyed)
    for surveyed in AT_A_RESTAURANT:
        _refused_as_surveyed(asking, cast.cleared_out, surveyed)
    for surveyed in IN_QINGPU:
        _refused_as_surveyed(asking, _sound_in_qingpu(scene), surveyed)
    _a_restaurant_on_the_pipe(asking, _sound_in_qingpu(scene))
    _in_a_free_area(asking, cast.too_late)
    _on_a_far_day(asking, cast.too_late, AFTER_THE_PAPERS, ["firm.no_gas_licence", "site.no_permit"])
    number = _on_a_far_day(asking, cast.cleared_out, CLEARED_OUT, ["premises.non_resident_cleared"])
    _told_in_writing(asking, cast.cleared_out, number)
    _looked_at_again(asking, cast.cleared_out, number)
    _kept_for_those_first(asking, cast.too_late)


def _refused_as_surveyed(asking: Asking, place: SamplePremises, surveyed: Surveyed) -> None:
    clerk, district = f"clerk {place.firm}", place.district
    path = f"households/{asking.scene.user(place).household_id}/surveys"
    really = surveyed.really or {name: getattr(place, name) for name in surveyed.seen}
    asking.scene.do_here(clerk, path, surveyed.seen, f"surveyed: {surveyed.what}", district)
    body = asking.scene.booking_body(place, 0, channel="hotline")
    asking.no_here(clerk, "orders", body, surveyed.what, surveyed.codes, district)
    asking.scene.do_here(clerk, path, really, f"surveyed again: not {surveyed.what}", district)


def _sound_in_qingpu(scene: Scene) -> SamplePremises:
    return [one for one in scene.cast.users if one.district == QINGPU and one.fault is None][-1]


def _a_restaurant_on_the_pipe(asking: Asking, neighbour: SamplePremises) -> None:
    """A new user next door, where accounts may be opened; as it is on the pipe, it is supplied with none."""
    scene, clerk = asking.scene, f"clerk {neighbour.firm}"
    door = replace(neighbour, number=3 * NEWCOMER + neighbour.number, address=f"{neighbour.address} 南间")
    place = place_body(door) | {"kind": "restaurant", "user_class": "restaurant", "converted_to_pipe": True}
    placed = scene.do_here(clerk, "premises", place, "a restaurant on the pipe", QINGPU)
    opening = {
        "household_id": placed["household_id"],
        "person_id": registered_in_qingpu(asking, clerk, person(door.number)),
        "firm_id": scene.world.firms[neighbour.firm],
        "applied_on": DEMO_DAY.isoformat(),
        "cards": [{"cylinder_model": neighbour.cylinder_model}],
    }
    account = scene.do_here(clerk, "accounts", opening, "its account", QINGPU)
    wanted = {
        **scene.booking_body(neighbour, 0, channel="hotline"),
        "household_id": placed["household_id"],
        "card_ids": [one["id"] for one in account["cards"]],
    }
    codes = ["premises.converted_to_pipe"]
    asking.no_here(clerk, "orders", wanted, "a restaurant on the pipe", codes, QINGPU)


def _in_a_free_area(asking: Asking, place: SamplePremises) -> None:
    """A declaration around one door, from tomorrow on; withdrawn the same morning, so that it never binds."""
    scene, regulator = asking.scene, f"regulator {CHANGNING}"
    lon, lat = place.point.lon, place.point.lat
    west, east = lon - TO_THE_EDGE_DEG, lon + TO_THE_EDGE_DEG
    south, north = lat - TO_THE_EDGE_DEG, lat + TO_THE_EDGE_DEG
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    declared = {
        "name": "样例禁用区",
        "notice_no": "YLGG-0612",
        "datum": "wgs84",
        "outline": {"type": "Polygon", "coordinates": [ring]},
        "announced_on": (DEMO_DAY - timedelta(days=60)).isoformat(),
        "effective_on": (DEMO_DAY + timedelta(days=1)).isoformat(),
    }
    area = scene.do_here(regulator, "free-areas", declared, "an area is declared free of bottled gas")
    body = scene.booking_body(place, 0, channel="hotline", on_next_day=True)
    asking.no_here(f"clerk {place.firm}", "orders", body, "in a free area", ["premises.lpg_free_area"])
    withdrawn = {"ended_on": DEMO_DAY.isoformat()}
    scene.do_here(regulator, f"free-areas/{area['id']}/end", withdrawn, "the declaration is withdrawn")


def _on_a_far_day(asking: Asking, place: SamplePremises, day: date, codes: list[str]) -> str:
    """Papers and the clear-out are judged for the day of delivery. The refusal's number."""
    wanted = _wanted_on(asking.scene, place, day, capacity=5)
    return asking.no_here(f"clerk {place.firm}", "orders", wanted, f"for {day}", codes)


def _wanted_on(scene: Scene, place: SamplePremises, day: date, **room: int) -> dict[str, Any]:
    """A booking of a slot that is opened for it."""
    slot = {
        "zone_id": scene.world.zones[zone_key(CHANGNING, place.zone)],
        "starts_at": f"{day}T08:00:00.000+08:00",
        "ends_at": f"{day}T11:00:00.000+08:00",
        **room,
    }
    opened = scene.do_here(f"zoning {CHANGNING}", "slots", slot, f"a slot of {day}")["id"]
    return {**scene.booking_body(place, 0, channel="hotline"), "slot_id": opened}


def _kept_for_those_first(asking: Asking, place: SamplePremises) -> None:
    """The last place is kept; whoever comes on the list of those looked after first has it."""
    scene, clerk = asking.scene, f"clerk {place.firm}"
    wanted = _wanted_on(scene, place, KEPT_DAY, capacity=1, kept=1)
    asking.no_here(clerk, "orders", wanted, "a place that is kept", ["slot.kept_for_others"])
    path = f"households/{scene.user(place).household_id}/vulnerabilities"
    listed = {"ground": "disabled", "since_on": DEMO_DAY.isoformat(), "evidence": "CJ-0612"}
    row = scene.do_here(clerk, path, listed, "entered on the list")
    order = scene.do_here(clerk, "orders", wanted, "the kept place is theirs")
    scene.do_here(clerk, f"orders/{order['id']}/cancellations", {}, "and given back")
    scene.do_here(clerk, f"{path}/{row['vulnerability_id']}/ends", {}, "off the list")
    scene.count("kept places given to those first")


def _told_in_writing(asking: Asking, place: SamplePremises, number: str) -> None:
    """On paper, once: left at the home before a witness, and read online by its owner the same day."""
    scene, clerk = asking.scene, f"clerk {place.firm}"
    told = {"refusal_no": number}
    notice = scene.do_here(clerk, "refusal-notices", told, "a refusal is told in writing")
    asking.no_here(clerk, "refusal-notices", told, "told in writing again", ["refusal.told_in_writing"])
    path = f"refusal-notices/{notice['id']}/receipts"
    left = {"received_how": "left", "witness": "committee", "witness_sha256": "b" * 64}
    scene.do_here(clerk, path, left, "the notice is left before a witness")
    owner = f"resident {place.number}"
    done = scene.do_here(owner, path, {"received_how": "electronic"}, "the owner reads the notice online")
    if [one["received_how"] for one in done["receipts"]] != ["left", "electronic"]:
        raise Unexpected(f"a notice of a refusal: expected two receipts, got {done['receipts']}")
    scene.count("refusals told in writing")


def _looked_at_again(asking: Asking, place: SamplePremises, number: str) -> None:
    """The owner has a person look at it: not who refused it; it is upheld, and upholding excepts nobody."""
    scene, regulator = asking.scene, f"regulator {CHANGNING}"
    owner, clerk = f"resident {place.number}", f"clerk {place.firm}"
    asked = {"refusal_no": number, "ground": "hardship", "said": "样例：管道气年底前接不进来"}
    review = scene.do_here(owner, "refusal-reviews", asked, "a review is asked for")
    path = f"refusal-reviews/{review['id']}"
    asking.no_here(owner, "refusal-reviews", asked, "asked for again", ["review.asked_already"])
    asking.no_here(clerk, f"{path}/takings", {}, "taken by who refused it", ["review.same_person"])
    scene.do_here(regulator, f"{path}/takings", {}, "somebody else takes it")
    answer = {"outcome": "upheld", "finding": "not_shown", "said": "样例：未见管道公司证明"}
    from_another = {"outcome": "overturned", "excepted": ["A02"], "excepted_until": "2024-07-31"}
    says = "excepted from another rule"
    asking.no_here(
        regulator, f"{path}/answers", {**answer, **from_another}, says, ["review.rule_not_refused"]
    )
    too_much = {"excepted": ["P07"], "excepted_until": "2026-12-31"}
    codes = ["review.exception_from_upheld", "review.exception_too_long"]
    asking.no_here(
        regulator, f"{path}/answers", {**answer, **too_much}, "upheld, and excepted for years", codes
    )
    scene.do_here(regulator, f"{path}/answers", answer, "the refusal is upheld")
    scene.do_here(owner, f"{path}/receipts", {"received_how": "electronic"}, "the owner has read it")

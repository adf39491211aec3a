"""Every "no" that can be heard over the API in one day, each asked for once; and why the others cannot be.

Most are asked at the offices in the early morning; those of a round by one courier, at a start, a load and a
door; those of the plan at night. One wrong form at a door is answered with all its reasons at once.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from core import clock
from core.auth import Role, ScopeKind
from core.ids import new_id
from sample import firms, places
from sample.bottles import MODELS
from sample.build import Builder, gas_batch, place_body, registrant_body, seen_with_notice
from sample.cast import EVENING, NEWCOMER
from sample.client import Unexpected
from sample.door import code_of
from sample.firms import DEMO_DAY, FILLING_SITE, FIRMS, RESERVE, SUPPLY_SITE
from sample.morning import book_for_tomorrow, weighed
from sample.people import SamplePerson, person
from sample.places import CHANGNING, QINGPU
from sample.planning import Driven, binding_of, plan_body, planned
from sample.scene import Scene
from sample.world import zone_key

TOMORROW = DEMO_DAY + timedelta(days=1)
THE_DAY_AFTER = DEMO_DAY + timedelta(days=2)


class Asking:
    """Somebody asks for what may not be; the answer is no, for these reasons among others."""

    def __init__(self, scene: Scene):
        self.scene = scene
        self.builder = Builder(scene.api, scene.cast, scene.world, scene.told)

    def no(self, who: str, path: str, body: Any, what: str, codes: Iterable[str]) -> str:
        """The number under which the refusal is kept."""
        answer = self.scene.api.attempt(self.scene.world.caller(who), path, body, what)
        expected = set(codes)
        if answer.status != 409 or not expected <= set(answer.codes):
            raise Unexpected(f"{what}: expected a refusal by {sorted(expected)}, got {answer.body}")
        self.scene.count("refused on purpose")
        return str(answer.body["refusal_no"])

    def found(self, who: str, body: Any, what: str, codes: Iterable[str]) -> None:
        """A filling that is recorded as what it was: something was found wrong, and no bottle is full."""
        done = self.scene.do(who, "/fillings", body, what)
        if done["outcome"] != "refused" or [one["code"] for one in done["reasons"]] != list(codes):
            raise Unexpected(f"{what}: expected {list(codes)} to be recorded, got {done}")
        self.scene.count("found wrong at the gun")

    def no_here(
        self, who: str, path: str, body: Any, what: str, codes: Iterable[str], district: int = CHANGNING
    ) -> str:
        return self.no(who, f"/districts/{district}/{path}", body, what, codes)


def at_the_offices(scene: Scene) -> None:
    scene.at(6, 40)
    asking = Asking(scene)
    _people(asking)
    _accounts(asking)
    _registers(asking)
    _crews(asking)
    _zones_and_slots(asking)
    _bookings(asking)
    _station(asking)
    _labels(asking)


# --- people, accounts -------------------------------------------------------------------------------------


def _people(asking: Asking) -> None:
    someone = asking.scene.cast.too_late
    clerk, own = f"clerk {someone.firm}", person(someone.number)
    known = seen_with_notice(registrant_body(own))
    asking.no_here(
        clerk,
        "people",
        {**known, "name": person(someone.number + 1).name},
        "a known document under another name",
        ["person.name_differs"],
    )
    late = {**known, **registrant_body(own, DEMO_DAY - timedelta(days=11))}
    asking.no_here(clerk, "people", late, "a document that has expired", ["person.document_expired"])
    unread = {**known, "notice_version": "2019-01"}
    asking.no_here(clerk, "people", unread, "a notice that is not in force", ["person.notice_outdated"])
    other = registrant_body(person(asking.scene.cast.waiting.number))["document"]
    path = f"people/{asking.scene.user(someone).person_id}/identity-checks"
    check = {"document": other, "method": "document_seen", "passed": True}
    asking.no_here(clerk, path, check, "another person's document", ["person.document_of_another"])


def _accounts(asking: Asking) -> None:
    scene = asking.scene
    someone, suspended = scene.cast.too_late, scene.cast.suspended
    user, clerk = scene.user(someone), f"clerk {someone.firm}"
    card = {"cylinder_model": someone.cylinder_model}
    path = f"accounts/{user.account_id}"
    asking.no_here(clerk, f"{path}/cards", card, "a second card for a home", ["card.household_has_one"])
    contract = {
        "account_id": user.account_id,
        "number": "YLHT-9001",
        "valid_from": "2024-06-12",
        "valid_until": "2024-12-31",
    }
    asking.no_here(clerk, "contracts", contract, "a contract for a home", ["contract.resident_account"])
    asking.no_here(clerk, f"{path}/resumptions", {}, "resume what is open", ["state.move_not_allowed"])
    handed_on = {"person_id": user.person_id, "applied_on": DEMO_DAY.isoformat()}
    path = f"accounts/{scene.user(suspended).account_id}/transfers"
    who = f"clerk {suspended.firm}"
    asking.no_here(who, path, handed_on, "hand on a suspended account", ["account.not_open"])
    lost = f"cards/{scene.user(scene.cast.without_bottle).card_ids[0]}/bottle-losses"
    who, said = f"clerk {scene.cast.without_bottle.firm}", {"reference": "YLGS-0612"}
    scene.do_here(who, lost, said, "a bottle is reported lost")
    asking.no_here(who, lost, said, "lost, reported again", ["custody.loss_on_record"])
    _openings(asking)


def _openings(asking: Asking) -> None:
    """In Qingpu, where an account may be opened: by whom, and where it may not."""
    scene = asking.scene
    standing = [one for one in scene.cast.users if one.district == QINGPU and one.fault is None][-1]
    user, clerk = scene.user(standing), f"clerk {standing.firm}"
    new_door = replace(standing, number=2 * NEWCOMER + standing.number, address=f"{standing.address} 西间")
    placed = scene.do_here(clerk, "premises", place_body(new_door), "another address", QINGPU)
    opening = {
        "household_id": placed["household_id"],
        "person_id": user.person_id,
        "firm_id": scene.world.firms[standing.firm],
        "applied_on": DEMO_DAY.isoformat(),
        "cards": [{"cylinder_model": standing.cylinder_model}],
    }
    asking.no_here(clerk, "accounts", opening, "a second account", ["account.registrant_has_another"], QINGPU)
    somebody = registered_in_qingpu(asking, clerk, person(new_door.number))
    again = {**opening, "household_id": user.household_id, "person_id": somebody}
    asking.no_here(clerk, "accounts", again, "an account where one stands", ["account.stands"], QINGPU)


def registered_in_qingpu(asking: Asking, clerk: str, someone: SamplePerson) -> str:
    return registered(asking, clerk, someone, QINGPU)


def registered(asking: Asking, clerk: str, someone: SamplePerson, district: int) -> str:
    body = seen_with_notice(registrant_body(someone))
    return str(asking.scene.do_here(clerk, "people", body, "somebody is registered", district)["person_id"])


# --- registers --------------------------------------------------------------------------------------------


def _registers(asking: Asking) -> None:
    scene, firm = asking.scene, FIRMS[0]
    body = {"name": firm.name, "uscc": firm.uscc, "home_district": firm.home_district, "licences": []}
    asking.no("administrator", "/firms", body, "a firm twice", ["firm.uscc_taken"])
    papers = {
        "licences": [
            {
                "kind": "gas_business",
                "number": str(firm.gas_licence_no).replace(" ", ""),
                "valid_from": "2027-01-01",
                "valid_until": "2027-12-31",
            }
        ]
    }
    path = f"/firms/{scene.world.firms[firm.key]}/licences"
    asking.no("administrator", path, papers, "a licence twice", ["licence.number_taken"])
    kind = MODELS[0]
    model = {
        "model": kind.model,
        "water_ml": kind.water_ml,
        "max_fill_g": kind.max_fill_g,
        "nominal_g": kind.nominal_g,
        "units": kind.units,
        "needs_truck": kind.needs_truck,
    }
    asking.no("administrator", "/cylinder-types", model, "a model twice", ["cylinder_type.taken"])
    bottle = scene.cast.to_fill[0]
    row = {"firm_id": scene.world.firms[bottle.owner_firm], **asking.builder.bottle_row(bottle)}
    clerk = f"clerk {bottle.owner_firm}"
    asking.no(clerk, "/cylinders", row, "a code twice", ["cylinder.identifier_taken"])
    twice = {**row, "identifiers": row["identifiers"] * 2}
    asking.no(clerk, "/cylinders", twice, "two codes of one kind", ["cylinder.identifier_twice"])


def _crews(asking: Asking) -> None:
    scene, world = asking.scene, asking.scene.world
    firm = "changning_west"
    clerk, dispatcher = f"clerk {firm}", f"dispatcher {firm}"
    vehicle = next(one for one in firms.vehicles() if one.firm == firm)
    binding = next(one for one in firms.bindings() if one.vehicle == vehicle.key)
    asking.no_here(
        clerk, "vehicles", asking.builder.vehicle_body(vehicle), "a plate twice", ["vehicle.plate_taken"]
    )
    bound = {
        "firm_id": world.firms[firm],
        "courier_id": world.staff[binding.courier],
        "vehicle_id": world.vehicles[vehicle.key],
        "device_id": world.devices[binding.device],
        "zone_district": binding.zone_district,
        "zone_id": world.zones[zone_key(binding.zone_district, binding.zone)],
        "from_at": clock.stamp(clock.now()),
    }
    asking.no_here(
        dispatcher,
        "bindings",
        bound,
        "bound twice",
        ["binding.courier_bound", "binding.vehicle_bound", "binding.device_bound"],
    )
    courier = next(one for one in firms.staff() if one.key == RESERVE[firm])
    old = {"certificate_until": "2024-01-31"}
    late_courier = scene.do_here(clerk, "staff", asking.builder.staff_body(courier) | old, "old papers")
    late_vehicle = scene.do_here(
        clerk,
        "vehicles",
        asking.builder.vehicle_body(vehicle) | {"plate": "长宁样例98", "permit_until": "2024-01-31"},
        "a vehicle with old papers",
    )
    phone = scene.do_here(clerk, "devices", {"firm_id": world.firms[firm], "label": "phone_old"}, "a phone")
    scene.do_here(clerk, f"devices/{phone['id']}/revocations", {"reason": "lost"}, "a phone is lost")
    unfit = bound | {
        "courier_id": late_courier["id"],
        "vehicle_id": late_vehicle["id"],
        "device_id": phone["id"],
    }
    asking.no_here(
        dispatcher,
        "bindings",
        unfit,
        "bound without papers",
        ["binding.certificate_not_in_force", "binding.permit_not_in_force", "binding.device_revoked"],
    )
    fit = bound | {"courier_id": world.staff[RESERVE[firm]], "from_at": f"{THE_DAY_AFTER}T08:00:00.000+08:00"}
    del fit["device_id"], fit["vehicle_id"]
    _ended_twice(asking, clerk, dispatcher, fit)


def _ended_twice(asking: Asking, clerk: str, dispatcher: str, fit: dict[str, Any]) -> None:
    scene = asking.scene
    vehicle = next(one for one in firms.vehicles() if one.firm == "changning_west")
    spare = scene.do_here(
        clerk, "vehicles", asking.builder.vehicle_body(vehicle) | {"plate": "长宁样例97"}, "a spare vehicle"
    )
    phone = scene.do_here(clerk, "devices", {"firm_id": fit["firm_id"], "label": "phone_spare"}, "a phone")
    body = fit | {"vehicle_id": spare["id"], "device_id": phone["id"]}
    made = scene.do_here(dispatcher, "bindings", body, "bound for another day")
    scene.do_here(dispatcher, f"bindings/{made['id']}/end", {}, "and withdrawn")
    asking.no_here(dispatcher, f"bindings/{made['id']}/end", {}, "a binding ended twice", ["binding.ended"])


def _zones_and_slots(asking: Asking) -> None:
    scene = asking.scene
    west = next(zone for zone in places.zones(CHANGNING) if zone.firm == "changning_west")
    own = asking.builder.zones_body(CHANGNING, TOMORROW)
    one = next(zone for zone in own["zones"] if zone["number"] == west.number)
    overlapping = {**own, "zones": [one, {**one, "number": 90}]}
    asking.no_here(
        "dispatcher changning_west",
        "zone-sets",
        overlapping,
        "zones of one firm alone, one over another",
        ["zone.of_another_firm", "zone.overlapping", "zone.leaves_homes_outside"],
    )
    far = asking.builder.zones_body(QINGPU, date(2030, 1, 1))
    scene.do_here(f"zoning {QINGPU}", "zone-sets", far, "zones of 2030", QINGPU)
    asking.no_here(f"zoning {QINGPU}", "zone-sets", far, "zones of 2030 again", ["zone.day_taken"], QINGPU)
    zone_id = scene.world.zones[zone_key(CHANGNING, west.number)]
    for from_hour, day, codes in (
        (9, TOMORROW, ["slot.overlaps"]),
        (21, TOMORROW, ["slot.outside_hours"]),
        (1, DEMO_DAY, ["slot.past"]),
    ):
        slot = {
            "zone_id": zone_id,
            "starts_at": f"{day}T{from_hour:02}:00:00.000+08:00",
            "ends_at": f"{day}T{from_hour + 1:02}:00:00.000+08:00",
            "capacity": 5,
        }
        asking.no_here(f"zoning {CHANGNING}", "slots", slot, f"a slot at {from_hour}:00", codes)


# --- bookings ---------------------------------------------------------------------------------------------


def _bookings(asking: Asking) -> None:
    scene, someone = asking.scene, asking.scene.cast.too_late
    who, body = f"clerk {someone.firm}", scene.booking_body(someone, EVENING, channel="hotline")
    key = zone_key(CHANGNING, someone.zone)
    slot = {
        "zone_id": scene.world.zones[key],
        "starts_at": f"{THE_DAY_AFTER}T08:00:00.000+08:00",
        "ends_at": f"{THE_DAY_AFTER}T11:00:00.000+08:00",
        "capacity": 5,
    }
    closed = scene.do_here(f"zoning {CHANGNING}", "slots", slot, "a slot")["id"]
    scene.do_here(f"zoning {CHANGNING}", f"slots/{closed}/closings", {}, "is closed")
    asking.no_here(who, "orders", {**body, "slot_id": closed}, "a closed slot", ["slot.closed"])
    elsewhere = next(zone for zone in places.zones(CHANGNING) if zone.firm != someone.firm)
    others = scene.world.slots[f"{zone_key(CHANGNING, elsewhere.number)} {DEMO_DAY}"][EVENING]
    asking.no_here(
        who,
        "orders",
        {**body, "slot_id": others},
        "a slot of another zone and firm",
        ["slot.other_zone", "slot.other_supplier"],
    )


# --- codes and labels -------------------------------------------------------------------------------------


def _labels(asking: Asking) -> None:
    """A code found on a second bottle, of the same firm and of another; labels that stand or are void."""
    scene, firm = asking.scene, "changning_west"
    clerk, spare = f"clerk {firm}", [one for one in scene.cast.empties if one not in scene.cast.to_fill]
    own, other = [one for one in spare if one.owner_firm == firm][-2:]
    foreign = next(one for one in reversed(spare) if one.owner_firm != firm)
    path = f"/cylinders/{scene.world.cylinders[own.number]}"
    batch = {"codes": [own.use_registration_code]}
    printed = scene.do(clerk, "/label-batches", batch, "labels are issued")["items"][0]
    asking.no(clerk, "/label-batches", batch, "labels issued again", ["label.both_stand"])
    damaged, label = {"reason": "damaged"}, f"{path}/labels/{printed['number']}"
    scene.do(clerk, f"{label}/replacements", damaged, "a damaged label is replaced")
    asking.no(clerk, f"{label}/voidings", damaged, "a void label voided", ["label.not_standing"])
    stamp = {"scheme": "stamp", "value": own.serial}
    scene.do(clerk, f"{path}/identifiers", stamp, "a stamp is filed")
    twice = {**stamp, "value": f"{own.serial}-2"}
    asking.no(clerk, f"{path}/identifiers", twice, "a second stamp", ["identifier.kind_stands"])
    theirs = {"scheme": "use_registration", "value": foreign.use_registration_code}
    says = "another firm's code"
    asking.no(clerk, f"{path}/identifiers", theirs, says, ["identifier.registered_elsewhere"])
    asking.no(clerk, f"{path}/identifiers", theirs, f"{says} again", ["identifier.collision_stands"])
    _one_stamp_on_two(asking, stamp, scene.world.cylinders[other.number])
    void = {**stamp, "reason": "wrongly_entered"}
    scene.do(clerk, f"{path}/identifier-voidings", void, "a stamp is voided")
    asking.no(clerk, f"{path}/identifier-voidings", void, "voided again", ["identifier.voided_already"])


def _one_stamp_on_two(asking: Asking, stamp: dict[str, str], other_id: str) -> None:
    scene, clerk, regulator = asking.scene, "clerk changning_west", f"regulator {CHANGNING}"
    path = f"/cylinders/{other_id}"
    found = scene.do(clerk, f"{path}/identifiers", stamp, "one stamp is found on two bottles")
    [hold] = [one for one in scene.api.read(scene.world.caller(clerk), path)["holds"] if not one["until_at"]]
    lifted = {"hold_id": hold["id"], "reference": "CM-0612"}
    asking.no(regulator, f"{path}/releases", lifted, "lifted unlooked", ["hold.of_collision"])
    told = f"identifier-collisions/{found['collision_id']}/resolutions"
    scene.do_here(regulator, told, {"outcome": "standing"}, "whose the stamp is")
    late = {"outcome": "neither"}
    asking.no_here(regulator, told, late, "said otherwise later", ["identifier.collision_resolved"])


# --- at the station ---------------------------------------------------------------------------------------


def _station(asking: Asking) -> None:
    scene = asking.scene
    sound = next(one for one in scene.cast.empties if one not in scene.cast.to_fill)
    filler = f"filler_{sound.owner_firm}"
    form = weighed(scene, sound)
    _at_the_gun(asking, filler, form)
    nothing = {**form, "gross_g": form["tare_weighed_g"]}
    asking.no(filler, "/fillings", nothing, "nothing was filled", ["filling.nothing_filled"])
    unreadable = {**form, "code": "https://lpg.example/C/00000000000A"}
    asking.no(filler, "/fillings", unreadable, "a label with a wrong symbol", ["refill.label_unreadable"])
    clerk = f"clerk {sound.owner_firm}"
    staff = next(one for one in firms.staff() if one.key == filler)
    old = asking.builder.staff_body(staff) | {"certificate_until": "2024-01-31"}
    late = scene.do_here(clerk, "staff", old, "a filler with old papers", _home(sound.owner_firm))
    asking.no(
        filler,
        "/fillings",
        {**form, "filler_id": late["id"]},
        "filled by one with old papers",
        ["refill.no_filler_certificate"],
    )
    supply = scene.world.sites[SUPPLY_SITE[sound.owner_firm]]
    asking.builder.give("filler elsewhere", Role.FILLER, ScopeKind.SITE, supply, _home(sound.owner_firm))
    asking.no(
        "filler elsewhere",
        "/fillings",
        {**form, "site_id": supply},
        "filled where nobody may fill",
        ["refill.no_filling_licence"],
    )
    _bad_bottle(asking)


def _at_the_gun(asking: Asking, filler: str, form: dict[str, Any]) -> None:
    """What is found is recorded; what was not looked at, or is out of order, is refused."""
    before, after = form["checks_before"], form["checks_after"]
    wrong = {**form, "checks_before": [{"item": "valve", "passed": False}]}
    asking.found(filler, wrong, "a loose valve before filling", ["filling.look_failed"])
    asking.found(filler, {**form, "residue_g": 2_500}, "too much residue", ["filling.residue_not_extracted"])
    light = {**form, "tare_weighed_g": form["tare_weighed_g"] - 2_000}
    asking.found(filler, light, "a shell lighter than its stamp", ["filling.tare_drifted"])
    fillings = "/fillings"
    asking.no(
        filler, fillings, {**form, "checks_before": before[1:]}, "half a look", ["filling.check_missing"]
    )
    hasty = {**form, "checks_after": after[1:]}
    asking.no(filler, fillings, hasty, "no look for a leak", ["filling.after_check_missing"])
    strange = {**form, "scale": "YL-SCALE-9"}
    asking.no(filler, fillings, strange, "a scale nobody knows", ["filling.scale_unknown"])
    _leave_to_fill(asking, filler, form)
    _gas(asking, filler, form)
    _stops(asking, filler, form)


def _leave_to_fill(asking: Asking, filler: str, form: dict[str, Any]) -> None:
    scene, asked = asking.scene, {name: form[name] for name in ("code", "site_id", "filler_id", "scale")}
    leave = scene.do(filler, "/filling-authorisations", asked, "leave to fill")
    path, token = f"/filling-authorisations/{leave['id']}", {"token": leave["token"]}
    twice = ["filling.authorised_already"]
    asking.no(filler, "/filling-authorisations", asked, "leave to fill, a second time", twice)
    look = token | {name: form[name] for name in ("tare_weighed_g", "residue_g")}
    scene.do(filler, f"{path}/checks", look | {"checks": form["checks_before"]}, "looked at")
    last = token | {"checks": form["checks_after"], "seal_no": form["seal_no"]}
    asking.no(filler, f"{path}/completions", last, "full, and never weighed", ["filling.not_weighed"])
    other = token | {"scale": "YL-SCALE-9", "gross_g": form["gross_g"]}
    asking.no(filler, f"{path}/weighings", other, "weighed on another scale", ["filling.other_scale"])
    scene.do(filler, f"{path}/abortions", token | {"reason": "mistaken"}, "given up")


def _gas(asking: Asking, filler: str, form: dict[str, Any]) -> None:
    """A batch of what is no gas for homes is put in use, and nothing can be filled until it is out again."""
    scene, at = asking.scene, f"/sites/{form['site_id']}"
    good = scene.api.read(scene.world.caller(filler), f"{at}/filling-means")["batches"][0]
    report = {"report_no": "YLQC-BAD", "tested_on": "2024-06-11", "odorant_present": False, "dme_found": True}
    bad_batch = gas_batch("bad", product="industrial_propane", certificate_no=None, test=report)
    bad = scene.do(filler, f"{at}/gas-batches", bad_batch, "industrial propane comes in")["batches"][0]
    not_used = {**form, "batch_id": bad["id"]}
    asking.no(filler, "/fillings", not_used, "a batch not in use", ["filling.batch_not_in_use"])
    asking.no(filler, f"{at}/gas-batches", bad_batch, "the same batch twice", ["gas_batch.taken"])
    asking.no(
        filler, f"{at}/gas-batches/{bad['id']}/tests", report, "the same test twice", ["gas_test.taken"]
    )
    scene.do(filler, f"{at}/gas-batches/{bad['id']}/uses", {}, "industrial propane in use")
    everything = ["wrong_product", "batch_not_certified", "no_odorant", "dme_found"]
    asking.no(filler, "/fillings", form, "filled with it", [f"filling.{one}" for one in everything])
    untested = gas_batch("untested", test=None)
    new = scene.do(filler, f"{at}/gas-batches", untested, "gas nobody has tested")["batches"][0]
    scene.do(filler, f"{at}/gas-batches/{new['id']}/uses", {}, "gas nobody has tested in use")
    asking.no(filler, "/fillings", form, "filled with it", ["filling.batch_not_tested"])
    scene.do(filler, f"{at}/gas-batches/{good['id']}/uses", {}, "the good gas in use again")


def _stops(asking: Asking, filler: str, form: dict[str, Any]) -> None:
    """The regulator stops a scale, then the station, and lets both go on."""
    scene, at = asking.scene, f"/sites/{form['site_id']}"
    clerk, regulator = f"clerk {filler.removeprefix('filler_')}", f"regulator {QINGPU}"
    means = scene.do(clerk, f"{at}/scales", {"number": "YL-SCALE-2"}, "a scale without verification")
    scales = {one["number"]: one["id"] for one in means["scales"]}
    asking.no(
        clerk, f"{at}/scales", {"number": "YL-SCALE-2"}, "the same scale twice", ["filling_scale.taken"]
    )
    new = {**form, "scale": "YL-SCALE-2"}
    asking.no(filler, "/fillings", new, "over that scale", ["filling.scale_not_verified"])
    old = {"certificate_no": "YLJD-OLD", "verified_on": "2023-01-15", "verified_until": "2024-01-14"}
    verify = f"{at}/scales/{scales['YL-SCALE-2']}/verifications"
    scene.do(clerk, verify, old, "an old verification")
    asking.no(clerk, verify, old, "the same certificate twice", ["scale_verification.taken"])
    asking.no(filler, "/fillings", new, "over that scale", ["filling.scale_verification_expired"])
    for code, scale_id in (("scale_stopped", scales[form["scale"]]), ("station_stopped", None)):
        body = {"scale_id": scale_id, "reason": "investigation", "reference": "YLTC-1"}
        stopped = scene.do(regulator, f"{at}/filling-stops", body, code)
        asking.no(regulator, f"{at}/filling-stops", body, f"{code} twice", ["filling_stop.standing"])
        asking.no(filler, "/fillings", form, f"filled though {code}", [f"filling.{code}"])
        release = f"{at}/filling-stops/{stopped['stops'][0]['id']}/releases"
        scene.do(regulator, release, {"reference": "YLJC-1"}, f"{code}: released")
        asking.no(regulator, release, {"reference": "YLJC-1"}, "twice", ["filling_stop.not_standing"])


def _bad_bottle(asking: Asking) -> None:
    """One bottle with everything wrong with it: all its reasons come at once."""
    scene, firm = asking.scene, "qingpu"
    like = next(one for one in scene.cast.bottles if one.owner_firm == firm and not one.fault and one.at_site)
    row = asking.builder.bottle_row(like) | {
        "firm_id": scene.world.firms[firm],
        "identifiers": [{"scheme": "use_registration", "value": "31YLC900003"}],
        "made_on": "2006-05-01",
        "illegal_make": True,
        "screwed_guard": True,
        "holder": {"site_id": scene.world.sites[FILLING_SITE[firm]]},
        "full": False,
    }
    del row["tare_g"]
    made = scene.do(f"clerk {firm}", "/cylinders", row, "a bottle with everything wrong")
    form = {**weighed(scene, like, firm), "code": "31YLC900003"}
    asking.no(
        f"filler_{firm}",
        "/fillings",
        form,
        "fill it",
        ["refill.illegal_make", "refill.screwed_guard", "refill.past_max_life", "filling.tare_unknown"],
    )
    path = f"/cylinders/{made['cylinder_id']}"
    report = {"inspected_on": "2024-06-11", "passed": False, "report_no": "YLJY-900003"}
    asking.no("agency", f"{path}/inspections", report, "not sent to it", ["agency.not_sent_here"])
    asking.builder.send(f"clerk {firm}", path, "unfit", "YLSJ-900003")
    scene.do("agency", f"{path}/inspections", report, "it is inspected, and fails")
    asking.no("agency", f"{path}/inspections", report, "one report twice", ["inspection.report_taken"])
    lifted = {"hold_id": str(new_id()), "reference": "YLKL-900003"}
    asking.no(f"regulator {QINGPU}", f"{path}/releases", lifted, "lift no hold", ["hold.not_standing"])
    _recalled_and_scrapped(asking, path, firm)


def _recalled_and_scrapped(asking: Asking, path: str, firm: str) -> None:
    """The authority recalls that bottle; its registration is cancelled, it is scrapped, the recall ends."""
    scene, clerk, regulator = asking.scene, f"clerk {firm}", f"regulator {QINGPU}"
    unfit = {"why": "refurbished", "reference": "YLFX-900003"}
    scene.do(clerk, f"{path}/unfit-reports", unfit, "it was refurbished, too")
    asking.no(clerk, f"{path}/unfit-reports", unfit, "reported again", ["unfit.reported_already"])
    nobodys = {"criterion": {"codes": ["31YLC999999"]}, "reference": "YLZH-1"}
    asking.no(regulator, "/recalls", nobodys, "a recall of nothing", ["recall.nothing_listed"])
    recall = scene.do(
        regulator, "/recalls", nobodys | {"criterion": {"codes": ["31YLC900003"]}}, "a recall is opened"
    )
    held = scene.api.read(scene.world.caller(regulator), path)["holds"]
    lifted = {"hold_id": next(one["id"] for one in held if one["kind"] == "recall"), "reference": "YLKL-1"}
    asking.no(regulator, f"{path}/releases", lifted, "lifted past its task", ["hold.of_recall"])
    at = f"/recalls/{recall['id']}"
    settle = f"{at}/tasks/{path.rsplit('/', 1)[1]}/settlements"
    said = {"reference": "YLZH-1-1"}
    for who, outcome, code in (
        (regulator, "scrapped", "recall.not_scrapped"),
        (clerk, "not_affected", "recall.authority_decides"),
    ):
        asking.no(who, settle, said | {"outcome": outcome}, f"settled as {outcome}", [code])
    asking.no(regulator, f"{at}/finishings", {}, "finished too early", ["recall.tasks_open"])
    ended = {"why": "failed_inspection", "document_no": "YLZX-900003", "cancelled_on": "2024-06-12"}
    scene.do(clerk, f"{path}/registration-cancellations", ended, "its registration is cancelled")
    twice = ["registration.cancelled_already"]
    asking.no(clerk, f"{path}/registration-cancellations", ended, "cancelled again", twice)
    gone = {"certificate_no": "YLBF-900003", "scrapped_on": "2024-06-12", "method": "cut"}
    scene.do("agency", f"{path}/scrappings", gone, "it is scrapped")
    scene.do(regulator, f"{at}/finishings", {}, "the recall is finished")


def _home(firm: str) -> int:
    return next(one.home_district for one in FIRMS if one.key == firm)


# --- on the road ------------------------------------------------------------------------------------------


class OnTheRoad:
    """One courier tries everything that may not be, once: before the start, at a load, at the first door."""

    def __init__(self, scene: Scene):
        self.asking = Asking(scene)
        self.scene = scene
        self._is_done: set[str] = set()

    def _is_due(self, driven: Driven, moment: str) -> bool:
        courier = binding_of(self.scene.cast.mistypes).courier
        if driven.courier != courier or moment in self._is_done:
            return False
        self._is_done.add(moment)
        return True

    def before_start(self, driven: Driven) -> None:
        if not self._is_due(driven, "start"):
            return
        path, line_id, _ = self._first(driven)
        load = {"line_id": line_id, "code": self._full_one(driven)}
        no = self.asking.no_here
        no(driven.courier, f"{path}/manifests", {}, "a manifest before the start", ["round.not_started"])
        no(driven.courier, f"{path}/loads", load, "a load before the start", ["delivery.round_not_started"])
        other = {"plate": next(one.plate for one in firms.vehicles() if one.plate != driven.plate)}
        no(driven.courier, f"{path}/starts", other, "another vehicle's plate", ["round.wrong_vehicle"])

    def before_load(self, driven: Driven) -> None:
        if not self._is_due(driven, "load"):
            return
        path, line_id, order_id = self._first(driven)
        no = self.asking.no_here
        arrive = f"orders/{order_id}/arrivals"
        no(driven.courier, arrive, {}, "at the door with nothing loaded", ["door_code.nothing_loaded"])
        elsewhere = next(
            one
            for one in self.scene.cast.empties
            if one.owner_firm == driven.firm and one not in self.scene.cast.to_fill
        )
        load = {"line_id": line_id, "code": elsewhere.use_registration_code}
        codes = ["load.bottle_not_at_site", "delivery.not_full"]
        no(driven.courier, f"{path}/loads", load, "load an empty that stands at the station", codes)
        stray = {"line_id": self._line_of_another_round(driven), "code": self._full_one(driven)}
        no(driven.courier, f"{path}/loads", stray, "load for another's order", ["load.no_order_line"])

    def after_load(self, driven: Driven) -> None:
        if not self._is_due(driven, "loaded"):
            return
        path, line_id, _ = self._first(driven)
        no = self.asking.no_here
        again = {"line_id": line_id, "code": self._full_one(driven)}
        no(driven.courier, f"{path}/loads", again, "two bottles for one line", ["load.line_taken"])
        aboard = driven.aboard[line_id]
        other_line = next((line for line in driven.aboard if line != line_id), line_id)
        twice = {"line_id": other_line, "code": code_of(self.scene, aboard)}
        no(driven.courier, f"{path}/loads", twice, "one bottle for two lines", ["load.bottle_taken"])
        no(driven.courier, f"{path}/finishes", {}, "finish with full bottles", ["round.bottles_on_vehicle"])
        self._approvals(driven)
        stranger = {"code": self._full_one(driven)}
        no(
            driven.courier,
            f"{path}/returns",
            stranger,
            "bring back what is not aboard",
            ["return.not_on_vehicle"],
        )

    def _approvals(self, driven: Driven) -> None:
        """Outside the zone by a dispatcher's leave: said once, and only of an order on a round."""
        who, said = f"dispatcher {driven.firm}", {"reason": "crew_missing"}
        _, _, order_id = self._first(driven)
        path = f"orders/{order_id}/zone-approvals"
        self.scene.do_here(who, path, said, "approved outside the zone")
        self.asking.no_here(who, path, said, "approved twice", ["round.approved_already"])
        user = next(one for one in self.scene.cast.tomorrow if one.firm == driven.firm)
        path = f"orders/{self.scene.tomorrow[user.number]}/zone-approvals"
        self.asking.no_here(who, path, said, "approved on no round", ["round.order_on_none"])

    def at_the_door(self, driven: Driven, order_id: str, form: dict[str, Any]) -> None:
        """Everything wrong in one form is answered with everything that is wrong."""
        if not self._is_due(driven, "door"):
            return
        other = next(iter(self.scene.cast.empties)).use_registration_code
        wrong = form | {
            "card_credential": None,
            "check": None,
            "full_code": other,
            "empty_code": None,
            "leak_test_passed": False,
            "proof": {"kind": "card_qr", "value": "LPGCARD:NOBODYS"},
        }
        codes = [
            "handover.card_not_shown", "handover.check_missing", "handover.empty_missing",
            "handover.other_bottle", "handover.leak_test_not_passed", "proof.card_qr_wrong",
        ]  # fmt: skip
        path = f"orders/{order_id}/deliveries"
        self.asking.no_here(driven.courier, path, wrong, "everything wrong at a door", codes)
        uncalled = form | {"check": None, "proof": {"kind": "door_code", "value": "000000"}}
        no_code = ["door_code.none"]
        self.asking.no_here(driven.courier, path, uncalled, "a code nobody was sent", no_code)

    def _first(self, driven: Driven) -> tuple[str, str, str]:
        order_id = driven.trips[0]["stops"][0]["order_id"]
        return f"rounds/{driven.round_id}", driven.lines[order_id][0]["line_id"], order_id

    def _full_one(self, driven: Driven) -> str:
        """The last of the full ones at the supply point: nobody wants it yet."""
        model = self._model(driven)
        return code_of(self.scene, self.scene.at_supply[driven.firm, model][-1])

    def _model(self, driven: Driven) -> str:
        order_id = driven.trips[0]["stops"][0]["order_id"]
        return str(driven.lines[order_id][0]["cylinder_model"])

    def _line_of_another_round(self, driven: Driven) -> str:
        cards = {card_id: line_id for line_id, card_id in self.scene.line_cards.items()}
        return next(
            cards[card_id]
            for booking in self.scene.cast.bookings
            if booking.user.firm == driven.firm and booking.user.zone != driven.zone
            for card_id in self.scene.user(booking.user).card_ids[:1]
            if card_id in cards
        )


# --- at night ---------------------------------------------------------------------------------------------


def at_night(scene: Scene) -> None:
    """Of plans: too late for today, and for tomorrow one that went stale before it was applied."""
    scene.at(20, 52)
    asking = Asking(scene)
    (first,) = (one for one in places.zones(CHANGNING) if one.number == scene.cast.tomorrow[0].zone)
    who = f"dispatcher {first.firm}"
    body = plan_body(scene, first, wave=19)
    no = asking.no_here
    no(who, "plans", body, "a plan for a day that is over", ["plan.no_crew", "plan.nothing_to_plan"])
    yesterday = {**body, "day": (DEMO_DAY - timedelta(days=1)).isoformat()}
    no(who, "plans", yesterday, "a plan for yesterday", ["plan.day_past"])
    delivered = f"orders/{scene.shown['delivered order']}/cancellations"
    no(f"zoning {CHANGNING}", delivered, {}, "cancel what was delivered", ["state.move_not_allowed"])
    _tomorrow(scene, asking, first)


def _tomorrow(scene: Scene, asking: Asking, zone: places.SampleZone) -> None:
    """One zone's tomorrow is planned; the others wait for the dispatcher."""
    who = f"dispatcher {zone.firm}"
    tomorrow = {**plan_body(scene, zone, wave=1), "day": TOMORROW.isoformat()}
    stale = planned(scene, who, tomorrow, "plan tomorrow")
    user = next(one for one in scene.cast.tomorrow if one.zone == zone.number)
    order_id = scene.tomorrow[user.number]
    scene.do_here(f"clerk {user.firm}", f"orders/{order_id}/cancellations", {}, "tomorrow is cancelled")
    asking.no_here(who, f"plans/{stale['id']}/applications", {}, "apply a stale plan", ["plan.stale"])
    scene.count("plans refused")
    book_for_tomorrow(scene, user)
    fresh = planned(scene, who, tomorrow, "plan tomorrow again")
    applied = scene.do_here(who, f"plans/{fresh['id']}/applications", {}, "apply tomorrow's plan")
    scene.count("plans")
    again = f"plans/{fresh['id']}/applications"
    asking.no_here(who, again, {}, "apply a plan twice", ["plan.stale"])
    round_id = applied["round_ids"][0]
    found = scene.read_here(who, f"rounds/{round_id}")
    courier = next(key for key, one in scene.world.staff.items() if one == found["courier_id"])
    plate = {"plate": found["plate"]}
    asking.no_here(courier, f"rounds/{round_id}/starts", plate, "start tomorrow today", ["round.not_today"])

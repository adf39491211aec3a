"""Before the vehicles leave: the counter, the filling stations, and the bookings of the day."""

from typing import Any

from sample.bottles import CylinderFault, SampleCylinder
from sample.build import SCALE, Builder, place_body, registrant_body, seen_with_notice
from sample.cast import EVENING, LAST_TOMORROW, NEWCOMER, Booking
from sample.client import Unexpected
from sample.firms import DEMO_DAY, FILLING_SITE, FIRMS, SUPPLY_SITE
from sample.people import person
from sample.places import CHANGNING, QINGPU, SamplePremises
from sample.scene import Scene

OVERFILLED_BY_G = 2_000
CHECKED = ("heat_marks", "corrosion", "deformation", "valve", "parts", "tag")
CHECKED_AFTER = ("leak", "valve", "tag")


def at_the_counter(scene: Scene) -> None:
    """Changning has taken no new user and let no account change hands since 2023-08-01; Qingpu does both."""
    scene.at(5, 30)
    for district, is_barred in ((CHANGNING, True), (QINGPU, False)):
        newcomer = scene.cast.newcomer[district]
        giver = scene.cast.giver if is_barred else _first_sound(scene, QINGPU)
        opening = _opening(scene, f"clerk {newcomer.firm}", newcomer)
        transfer = _transfer(scene, f"clerk {giver.firm}", giver)
        path = f"accounts/{scene.user(giver).account_id}/transfers"
        if is_barred:
            _must_be_barred(scene, f"clerk {newcomer.firm}", "accounts", opening, "opening", "A02")
            _must_be_barred(scene, f"clerk {giver.firm}", path, transfer, "transfer", "A03")
        else:
            scene.do_here(f"clerk {newcomer.firm}", "accounts", opening, "opening", district)
            scene.do_here(f"clerk {giver.firm}", path, transfer, "transfer", district)
            scene.count("done at the counter", 2)


def _must_be_barred(scene: Scene, clerk: str, path: str, body: Any, what: str, rule: str) -> None:
    """Refused, naming the day of the application and the day from which the bar holds."""
    reason = scene.refused_here(clerk, path, body, what, {rule}).reasons[0]
    named = (reason["facts"].get("applied_on"), reason["facts"].get("since"))
    if named != ("2024-06-12", "2023-08-01"):
        raise Unexpected(f"{reason['code']}: expected both dates among its facts, got {reason['facts']}")
    scene.count("refused at the counter")


def _opening(scene: Scene, clerk: str, newcomer: SamplePremises) -> dict[str, Any]:
    """A family comes with a document and an address; both are put on file, whatever the law then says."""
    someone = seen_with_notice(registrant_body(person(newcomer.number)))
    district = newcomer.district
    person_id = scene.do_here(clerk, "people", someone, "newcomer registered", district)["person_id"]
    placed = scene.do_here(clerk, "premises", place_body(newcomer), "newcomer's address", district)
    return {
        "household_id": placed["household_id"],
        "person_id": person_id,
        "firm_id": scene.world.firms[newcomer.firm],
        "applied_on": DEMO_DAY.isoformat(),
        "cards": [{"cylinder_model": newcomer.cylinder_model}],
    }


def _transfer(scene: Scene, clerk: str, giver: SamplePremises) -> dict[str, Any]:
    someone = seen_with_notice(registrant_body(person(2 * NEWCOMER + giver.number)))
    person_id = scene.do_here(clerk, "people", someone, "new holder registered", giver.district)["person_id"]
    return {"person_id": person_id, "applied_on": DEMO_DAY.isoformat()}


def _first_sound(scene: Scene, district: int) -> SamplePremises:
    return next(user for user in scene.cast.users if user.district == district and user.fault is None)


# --- the filling stations -------------------------------------------------------------------------------


def at_the_stations(scene: Scene) -> None:
    """What came in is scanned; what is wrong is found out, and nobody can fill it; what is sound is filled,
    brought to the supply points and received there."""
    scene.at(5, 40)
    Builder(scene.api, scene.cast, scene.world, scene.told).filling_means()
    refused_once: set[CylinderFault] = set()
    for firm in FIRMS:
        faulty = [one for one in scene.cast.faulty_at_stations if one.at_site == FILLING_SITE[firm.key]]
        if faulty:
            _ask_for_all(scene, firm.key, faulty)
        for bottle in faulty:
            assert bottle.fault is not None
            if bottle.fault not in refused_once:
                refused_once.add(bottle.fault)
                _must_not_fill(scene, firm.key, bottle)
    _overfill(scene, scene.cast.to_fill[0])
    for bottle in scene.cast.bottles:
        if bottle.at_site is not None and bottle.on_file and not bottle.scrapped:
            scene.stands_at(bottle.number, bottle.at_site, full=bottle.is_full)
    for bottle in scene.cast.full_ones:
        scene.at_supply.setdefault((bottle.owner_firm, bottle.model), []).append(bottle.number)
    for bottle in scene.cast.to_fill[1:]:
        filler = f"filler_{bottle.owner_firm}"
        done = scene.do(filler, "/fillings", weighed(scene, bottle), f"fill {bottle.number}")
        if done["outcome"] != "filled":
            raise Unexpected(f"fill {bottle.number}: expected it filled, got {done}")
        scene.count("fillings")
    scene.shown.setdefault("cylinder", scene.world.cylinders[scene.cast.to_fill[0].number])
    scene.at(6, 0)
    for bottle in scene.cast.to_fill:
        _bring_to_supply(scene, bottle)


def _bring_to_supply(scene: Scene, bottle: SampleCylinder) -> None:
    """Received there by a scan; but for one that is unloaded with the others and that nobody scans."""
    site = SUPPLY_SITE[bottle.owner_firm]
    scene.stands_at(bottle.number, site, full=True)
    if bottle == scene.cast.never_received:
        return
    body = {"code": bottle.use_registration_code}
    path = f"/sites/{scene.world.sites[site]}/receipts"
    scene.do(f"clerk {bottle.owner_firm}", path, body, f"receive {bottle.number}")
    scene.at_supply.setdefault((bottle.owner_firm, bottle.model), []).insert(0, bottle.number)
    scene.count("receipts")


def _ask_for_all(scene: Scene, firm: str, faulty: list[SampleCylinder]) -> None:
    body = {
        "purpose": "fill",
        "site": scene.world.sites[FILLING_SITE[firm]],
        "codes": [bottle.use_registration_code for bottle in faulty],
    }
    filler = scene.world.caller(f"filler_{firm}")
    answer = scene.api.ask(filler, "/verdicts", body, f"{len(faulty)} bottles scanned")
    for bottle, item in zip(faulty, answer["items"], strict=True):
        found, expected = {reason["rule"] for reason in item["reasons"]}, rules_broken(bottle)
        if item["allowed"] or found != expected:
            raise Unexpected(f"bottle {bottle.number}, {bottle.fault}: expected {expected}, got {found}")
    scene.count("faulty bottles found", len(faulty))


def rules_broken(bottle: SampleCylinder) -> set[str]:
    """Of an unknown label all is unknown; and a bottle that was scrapped is, by its file, with the agency."""
    assert bottle.fault is not None
    rules = set(bottle.fault.rules)
    if bottle.fault is CylinderFault.UNKNOWN_LABEL:
        return rules | {"F02", "F03", "F04", "F06", "F08", "F09", "F10", "F15"}
    return rules | {"F15"} if bottle.scrapped else rules


def _must_not_fill(scene: Scene, firm: str, bottle: SampleCylinder) -> None:
    filler = scene.world.caller(f"filler_{firm}")
    what = f"fill {bottle.number}, {bottle.fault}"
    scene.api.must_refuse(filler, "/fillings", weighed(scene, bottle, firm), what, rules_broken(bottle))
    scene.count("refused fillings")


def _overfill(scene: Scene, bottle: SampleCylinder) -> None:
    """A sound bottle, two kilograms too heavy on the scale: held, bled, weighed again, and then full."""
    form, filler = weighed(scene, bottle), f"filler_{bottle.owner_firm}"
    too_heavy = form | {"gross_g": form["gross_g"] + OVERFILLED_BY_G}
    over = scene.do(filler, "/fillings", too_heavy, f"overfill {bottle.number}")
    if over["outcome"] != "overfilled" or [one["rule"] for one in over["reasons"]] != ["F17"]:
        raise Unexpected(f"overfill {bottle.number}: expected it held by F17, got {over}")
    path, leave = f"/filling-authorisations/{over['authorisation_id']}", {"token": over["token"]}
    again = leave | {"scale": SCALE, "gross_g": form["gross_g"]}
    scene.do(filler, f"{path}/weighings", again, f"bleed {bottle.number} and weigh it again")
    last = leave | {"checks": form["checks_after"], "seal_no": form["seal_no"]}
    done = scene.do(filler, f"{path}/completions", last, f"fill {bottle.number}")
    if done["state"] != "filled":
        raise Unexpected(f"fill {bottle.number}: expected it filled, got {done}")
    scene.count("overfilled, bled and weighed again")
    scene.count("fillings")


def weighed(scene: Scene, bottle: SampleCylinder, firm: str | None = None) -> dict[str, Any]:
    """As a sound filling is weighed and checked."""
    firm = firm or bottle.owner_firm
    tare_g = bottle.tare_g or 16_500
    return {
        "code": bottle.use_registration_code,
        "site_id": scene.world.sites[FILLING_SITE[firm]],
        "filler_id": scene.world.staff[f"filler_{firm}"],
        "scale": SCALE,
        "tare_weighed_g": tare_g,
        "residue_g": 0,
        "gross_g": tare_g + bottle.max_fill_g,
        "checks_before": [{"item": item, "passed": True} for item in CHECKED],
        "checks_after": [{"item": item, "passed": True} for item in CHECKED_AFTER],
        "seal_no": f"YLF-{bottle.number:06}",
    }


# --- bookings ---------------------------------------------------------------------------------------------


def at_the_desk(scene: Scene) -> None:
    """Residents book over the web, others by the hotline; and all who may not be supplied are told why."""
    scene.at(6, 15)
    same, differing = scene.cast.booked_by_two
    for booking in scene.cast.bookings:
        if booking == same:
            _book_by_two(scene, booking, "cooking", {201, 200})
        elif booking == differing:
            _book_by_two(scene, booking, "water_heating", {201, 409})
        else:
            book(scene, booking)
    _book_again(scene)
    for user in scene.cast.tomorrow:
        if user != scene.cast.helped:
            book_for_tomorrow(scene, user)
    _refused_for_the_place(scene)
    _refused_for_the_papers(scene)


def book(scene: Scene, booking: Booking) -> str:
    place = booking.user
    who = f"clerk {place.firm}" if booking.by_hotline else f"resident {place.number}"
    body = scene.booking_body(place, booking.slot, booking.lines, channel=_channel(booking.by_hotline))
    if booking == scene.cast.contactless:
        body["contactless"] = True
    return keep_order(scene, booking, scene.do_here(who, "orders", body, f"book for {place.number}"))


def keep_order(scene: Scene, booking: Booking, order: dict[str, Any]) -> str:
    scene.orders[order["id"]] = booking
    for line in order["lines"]:
        scene.line_cards[line["id"]] = line["card_id"]
    scene.count("orders")
    scene.counts["order lines"] += len(order["lines"])
    return str(order["id"])


def _channel(by_hotline: bool) -> str:
    return "hotline" if by_hotline else "web"


def _book_by_two(scene: Scene, booking: Booking, hotlines: str, expected: set[int]) -> None:
    """The family over the web and somebody for them by telephone, at the same instant, on the same card.

    Whoever is first has the order. The other finds it standing if it is the same booking (200), or is
    refused by name if it is another: which of the two is first decides nobody but the lock.
    """
    place = booking.user
    own = scene.booking_body(place, booking.slot)
    by_phone = {**scene.booking_body(place, booking.slot, channel="hotline"), "purpose": hotlines}
    path, what = f"/districts/{CHANGNING}/orders", f"two book for {place.number} at once"
    callers = [scene.world.caller(f"resident {place.number}"), scene.world.caller(f"clerk {place.firm}")]
    answers = scene.api.at_once(list(zip(callers, (own, by_phone), strict=True)), path, what)
    if {answer.status for answer in answers} != expected:
        raise Unexpected(f"{what}: expected {expected}, got {[answer.body for answer in answers]}")
    orders = {answer.body["id"] for answer in answers if answer.is_done}
    refused = {code for answer in answers for code in answer.codes}
    if len(orders) != 1 or refused - {"card.order_open"}:
        raise Unexpected(f"{what}: expected one order, got {orders} and {refused}")
    if refused:
        scene.count("refused bookings")
    keep_order(scene, booking, next(answer.body for answer in answers if answer.is_done))
    scene.count("booked by two at once")


def book_for_tomorrow(scene: Scene, user: SamplePremises) -> None:
    """By telephone; nobody plans it today."""
    slot = LAST_TOMORROW if user == scene.cast.takes_the_last else user.number % 2
    body = scene.booking_body(user, slot, channel="hotline", on_next_day=True)
    order = scene.do_here(f"clerk {user.firm}", "orders", body, f"book for {user.number}, tomorrow")
    scene.tomorrow[user.number] = order["id"]
    scene.count("orders for tomorrow")


def _book_again(scene: Scene) -> None:
    """The same booking once more is the same order; another slot while it is open is refused."""
    booking = next(booking for booking in scene.cast.bookings if not booking.by_hotline)
    who, place = f"resident {booking.number}", booking.user
    same = scene.booking_body(place, booking.slot, booking.lines)
    if scene.do_here(who, "orders", same, f"the same again for {place.number}")["id"] not in scene.orders:
        raise Unexpected("the same booking again: expected the standing order, got another")
    other = {**same, "slot_id": scene.booking_body(place, EVENING)["slot_id"]}
    _must_refuse(scene, who, other, f"a second order for {place.number}", {"A06"})


def _refused_for_the_place(scene: Scene) -> None:
    for place in scene.cast.refused_places:
        assert place.fault is not None
        body = scene.booking_body(place, 0)
        what = f"book for {place.number}, {place.fault}"
        _must_refuse(scene, f"resident {place.number}", body, what, {place.fault.rule}, place.district)


def _refused_for_the_papers(scene: Scene) -> None:
    cast = scene.cast
    lost, suspended = scene.user(cast.card_lost), scene.user(cast.suspended)
    lost_path = f"cards/{lost.card_ids[0]}/losses"
    scene.do_here(f"clerk {cast.card_lost.firm}", lost_path, {}, "a card is lost")
    breach = {"reason": "contract_breach"}
    suspended_path = f"accounts/{suspended.account_id}/suspensions"
    scene.do_here(f"clerk {cast.suspended.firm}", suspended_path, breach, "an account is suspended")
    for place, rule in (
        (cast.suspended, "A01"),
        (cast.card_lost, "A04"),
        (cast.expired, "A05"),
        (cast.without_bottle, "A07"),
        (cast.without_contract, "A08"),
    ):
        body = scene.booking_body(place, 0)
        _must_refuse(scene, f"resident {place.number}", body, f"book for {place.number}", {rule})
    who, place = f"resident {cast.too_late.number}", cast.too_late
    full = scene.booking_body(place, LAST_TOMORROW, on_next_day=True)
    _must_refuse(scene, who, full, f"a full slot for {place.number}", {"A10"})
    forgetful = {**scene.booking_body(place, 0), "purpose": None}
    _must_refuse(scene, who, forgetful, f"no purpose for {place.number}", {"A11"})


def _must_refuse(
    scene: Scene, who: str, body: Any, what: str, rules: set[str], district: int = CHANGNING
) -> None:
    scene.refused_here(who, "orders", body, what, rules, district)
    scene.count("refused bookings")


def too_late(scene: Scene) -> None:
    """In the evening nobody can book the morning."""
    place = scene.cast.too_late
    body = scene.booking_body(place, 0)
    _must_refuse(scene, f"resident {place.number}", body, f"a past slot for {place.number}", {"A10"})

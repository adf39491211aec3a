"""Shapes of the registry's requests and answers. What the law says of them is not the schema's business."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.auth import Role, ScopeKind
from core.fields import (
    Day,
    Flag,
    Form,
    Id,
    Instant,
    Number,
    Part,
    PointForm,
    QueryNumber,
    Rows,
    Text,
    View,
    Word,
)
from core.passwords import LEAST_LENGTH, MOST_LENGTH
from registry.account_gate import AccountBusiness
from registry.accounts import SuspensionReason
from registry.devices import MOST_MS, RevocationReason
from registry.documents import DocumentKind
from registry.fields import DIVISION, Code, Geometry, Phone, PlainCode, model_code
from registry.households import Place
from registry.models import (
    CLASS_AT,
    CardException,
    CheckMethod,
    LicenceKind,
    PremisesKind,
    SiteKind,
    StaffKind,
    TrainingCourse,
    UserClass,
    VehicleKind,
)
from registry.papers import PaperKind
from registry.people import RevealField, RevealPurpose, RevealReason
from registry.premises_gate import BottlePlace, FloorKind, RentalKind, SmallPlace

MAX_ZONES = 200
MAX_IMPORT_ROWS = 200


def _ends_after(start: str, end: str, form: Mapping[str, Any]) -> None:
    if form.get(start) is not None and form.get(end) is not None and form[end] < form[start]:
        raise ValidationError(f"order|不能早于{start}|expected {start} or later", end)


# --------------------------------------------------------------------------------------------------------
# Firms, sites, grants


class LicenceIn(Form):
    kind = Word(LicenceKind, required=True)
    number = Code(required=True)
    valid_from = Day(required=True)
    valid_until = Day(required=True)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _ends_after("valid_from", "valid_until", form)


class LicencesIn(Form):
    licences = Rows(Part(LicenceIn), least=1, most=20, required=True)


class FirmIn(Form):
    name = Text(required=True)
    uscc = Text(required=True, code=True, most=40)
    home_district = Number(required=True, **DIVISION)
    licences = Rows(Part(LicenceIn), most=20, load_default=list)


class SiteIn(Form):
    firm_id = Id(required=True)
    district = Number(required=True, **DIVISION)
    name = Text(required=True)
    kinds = Rows(Word(SiteKind), least=1, most=3, required=True)
    point = Part(PointForm, required=True)
    stock_cap = Number(required=True, least=1, most=1_000_000)
    licences = Rows(Part(LicenceIn), most=20, load_default=list)


class AgencyIn(Form):
    """``id``: the one that its grants already name, if it has any."""

    id = Id(load_default=None, allow_none=True)
    name = Text(required=True)
    home_district = Number(required=True, **DIVISION)
    approval_no = Code(required=True)
    approved_from = Day(required=True)
    approved_until = Day(required=True)


class GrantIn(Form):
    role = Word(Role, required=True)
    scope_kind = Word(ScopeKind, required=True)
    scope_code = Text(
        most=40,
        code=True,
        pattern=r"[0-9A-Za-z-]{1,40}",
        expected=("编号或区划代码", "an id or a division code"),
        load_default="",
    )
    home_district = Number(required=True, **DIVISION)
    label = Text(required=True, most=80)
    principal_id = Id(load_default=None, allow_none=True)
    until_at = Instant(load_default=None, allow_none=True)


NEW_PASSWORD: dict[str, Any] = {
    "most": MOST_LENGTH,
    "pattern": rf".{{{LEAST_LENGTH},{MOST_LENGTH}}}",
    "expected": (f"至少{LEAST_LENGTH}个字符", f"at least {LEAST_LENGTH} characters"),
}


class PasswordIn(Form):
    principal_id = Id(required=True)
    login = Text(
        required=True,
        most=40,
        code=True,
        pattern=r"[0-9A-Za-z._-]{3,40}",
        expected=("3至40个字母、数字或 . _ -", "3 to 40 letters, digits or . _ -"),
    )
    password = Text(required=True, **NEW_PASSWORD)


class NewPasswordIn(Form):
    old = Text(required=True, most=MOST_LENGTH)
    new = Text(required=True, **NEW_PASSWORD)


class PasswordView(View):
    principal_id = Id()


class PrincipalIn(Form):
    principal_id = Id(required=True)


class SecondFactorView(View):
    """The secret is shown until a code of it was given."""

    secret = fields.String()
    uri = fields.String()


class CodeIn(Form):
    code = Text(required=True, code=True, most=40, pattern="[0-9 ]{6,8}", expected=("6位数字", "six digits"))


class RecoveryCodesView(View):
    """Shown once: a repeat of the request has none."""

    recovery_codes = fields.List(fields.String())


class ResetView(View):
    principal_id = Id()
    had_one = fields.Boolean()


class EndedSessionsView(View):
    principal_id = Id()
    ended = fields.Integer()


class ConfirmationIn(Form):
    """``code``: of the authenticator, or a recovery code; for who has a second factor."""

    password = Text(required=True, most=MOST_LENGTH)
    code = Text(load_default="", code=True, most=40)


class ConfirmedView(View):
    confirmed_at = Instant()


class LicenceView(View):
    id = Id()
    kind = Word(LicenceKind)
    number = fields.String()
    valid_from = Day()
    valid_until = Day()


class FirmView(View):
    id = Id()
    home_district = fields.Integer()
    name = fields.String()
    uscc = fields.String()
    licences = fields.List(fields.Nested(LicenceView))
    recorded_at = Instant()


class AgencyView(View):
    id = Id()
    home_district = fields.Integer()
    name = fields.String()
    approval_no = fields.String()
    approved_from = Day()
    approved_until = Day()
    recorded_at = Instant()


class AgenciesView(View):
    items = fields.List(fields.Nested(AgencyView))


class SitePointView(View):
    lon = fields.Float()
    lat = fields.Float()
    datum = fields.String()


class SiteView(View):
    id = Id()
    firm_id = Id()
    district = fields.Integer()
    name = fields.String()
    kinds = fields.List(fields.String())
    point = fields.Nested(SitePointView)
    stock_cap = fields.Integer()
    licences = fields.List(fields.Nested(LicenceView))
    recorded_at = Instant()


class GrantView(View):
    grant_id = Id()
    principal_id = Id()
    token = fields.String(
        allow_none=True, metadata={"description": "shown once; null when the request is a repeat"}
    )
    token_shown = fields.Boolean()


class EndedGrantView(View):
    grant_id = Id()


# --------------------------------------------------------------------------------------------------------
# Crews


class TrainingIn(Form):
    course = Word(TrainingCourse, required=True)
    reference = PlainCode(required=True)
    trained_on = Day(required=True)
    valid_until = Day(required=True)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _ends_after("trained_on", "valid_until", form)


class TrainingsIn(Form):
    trainings = Rows(Part(TrainingIn), least=1, most=20, required=True)


class TrainingView(View):
    id = Id()
    course = Word(TrainingCourse)
    reference = fields.String()
    trained_on = Day()
    valid_until = Day()


class ExpiringQuery(Form):
    within_days = QueryNumber(least=0, most=3660, load_default=60)


class ExpiringPaperView(View):
    """``days_left``: negative where it has lapsed. ``what``: the kind of licence, of staff, of vehicle …"""

    kind = Word(PaperKind)
    what = fields.String()
    number = fields.String()
    holder_id = Id()
    firm_id = Id()
    valid_until = Day()
    days_left = fields.Integer()


class ExpiringView(View):
    items = fields.List(fields.Nested(ExpiringPaperView))


class SupplyPointView(View):
    name = fields.String()
    district = fields.Integer()
    permit_number = fields.String()
    permit_until = Day()


class SupplierView(View):
    firm_id = Id()
    name = fields.String()
    uscc = fields.String()
    home_district = fields.Integer()
    licence_number = fields.String()
    licence_until = Day()
    supply_points = fields.List(fields.Nested(SupplyPointView))


class SuppliersView(View):
    items = fields.List(fields.Nested(SupplierView))


class StaffIn(Form):
    firm_id = Id(required=True)
    kind = Word(StaffKind, required=True)
    name = Text(required=True, most=60)
    phone = Phone(required=True)
    certificate_no = Code(required=True)
    certificate_from = Day(required=True)
    certificate_until = Day(required=True)
    trainings = Rows(Part(TrainingIn), most=20, load_default=list)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _ends_after("certificate_from", "certificate_until", form)


class VehicleIn(Form):
    firm_id = Id(required=True)
    kind = Word(VehicleKind, required=True)
    plate = Text(required=True, most=40)
    permit_no = Code(required=True)
    permit_from = Day(required=True)
    permit_until = Day(required=True)
    max_cylinders = Number(required=True, least=1, most=1000)
    max_nominal_g = Number(required=True, least=1, most=100_000_000)
    max_trips = Number(required=True, least=1, most=50)
    carries_50kg = Flag(required=True)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _ends_after("permit_from", "permit_until", form)


class DeviceIn(Form):
    """Its key comes later, from the phone itself, with proof that it holds it."""

    firm_id = Id(required=True)
    label = Text(required=True, most=60)


class DeviceKeyIn(Form):
    """``public_key``: the uncompressed point of P-256, 65 bytes; ``proof``: its signature, raw r‖s, 64 bytes;
    both base64. What is signed is said in docs/device-inbox.md."""

    public_key = Text(required=True, most=88, code=True)
    proof = Text(required=True, most=88, code=True)


class AnchorIn(Form):
    """The phone's own clock at this moment: ``mono_ms`` since it started, and which start that was."""

    nonce = Text(required=True, most=64, code=True)
    boot_id = Text(required=True, most=64, code=True)
    mono_ms = Number(required=True, most=MOST_MS)


class AnchorView(View):
    anchor = fields.String()
    server_time = Instant()
    nonce = fields.String()


class RevocationIn(Form):
    reason = Word(RevocationReason, required=True)


class BindingIn(Form):
    firm_id = Id(required=True)
    courier_id = Id(required=True)
    vehicle_id = Id(required=True)
    device_id = Id(required=True)
    zone_district = Number(required=True, **DIVISION)
    zone_id = Id(required=True)
    from_at = Instant(required=True)
    until_at = Instant(load_default=None, allow_none=True)


class BindingEndIn(Form):
    ended_at = Instant(load_default=None, allow_none=True)


class StaffView(View):
    id = Id()
    district = fields.Integer()
    firm_id = Id()
    kind = Word(StaffKind)
    name_masked = fields.String(allow_none=True)
    phone_masked = fields.String(allow_none=True)
    certificate_no = fields.String()
    certificate_from = Day()
    certificate_until = Day()
    recorded_at = Instant()
    trainings = fields.List(fields.Nested(TrainingView))


class VehicleView(View):
    id = Id()
    district = fields.Integer()
    firm_id = Id()
    kind = Word(VehicleKind)
    plate = fields.String()
    permit_no = fields.String()
    permit_from = Day()
    permit_until = Day()
    max_cylinders = fields.Integer()
    max_nominal_g = fields.Integer()
    max_trips = fields.Integer()
    carries_50kg = fields.Boolean()
    recorded_at = Instant()


class DeviceView(View):
    id = Id()
    district = fields.Integer()
    firm_id = Id()
    label = fields.String()
    public_key = fields.String(allow_none=True)
    contiguous_seq = fields.Integer()
    revoked_at = Instant(allow_none=True)
    recorded_at = Instant()


class BindingView(View):
    id = Id()
    district = fields.Integer()
    firm_id = Id()
    courier_id = Id()
    vehicle_id = Id()
    device_id = Id()
    zone_district = fields.Integer()
    zone_id = Id()
    from_at = Instant(allow_none=True)
    until_at = Instant(allow_none=True)
    withdrawn = fields.Boolean()
    recorded_at = Instant()


# --------------------------------------------------------------------------------------------------------
# Zones


class ZoneIn(Form):
    number = Number(required=True, least=1, most=9999)
    name = Text(required=True, most=60)
    firm_id = Id(required=True)
    supply_site_id = Id(required=True)
    outline = Geometry(required=True)
    opens_s = Number(required=True, most=86_400)
    closes_s = Number(required=True, most=86_400)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if "opens_s" in form and "closes_s" in form and form["closes_s"] <= form["opens_s"]:
            raise ValidationError("order|应晚于 opens_s|expected later than opens_s", "closes_s")


class ZoneSetIn(Form):
    """The datum of all outlines is named, never guessed: the wrong one is half a kilometre off."""

    valid_from = Day(required=True)
    datum = Text(
        required=True,
        pattern="wgs84|cgcs2000|gcj02|bd09",
        expected=("wgs84、cgcs2000、gcj02 或 bd09", "wgs84, cgcs2000, gcj02 or bd09"),
    )
    zones = Rows(Part(ZoneIn), least=1, most=MAX_ZONES, required=True)


class DayQuery(Form):
    day = Day(load_default=None)


class ZoneView(View):
    id = Id()
    number = fields.Integer()
    name = fields.String()
    firm_id = Id()
    supply_site_id = Id()
    outline = fields.Dict()
    opens_s = fields.Integer()
    closes_s = fields.Integer()


class ZoneSetView(View):
    id = Id()
    district = fields.Integer()
    version = fields.Integer()
    valid_from = Day()
    zones = fields.List(fields.Nested(ZoneView))
    recorded_at = Instant()


# --------------------------------------------------------------------------------------------------------
# People


class DocumentIn(Form):
    kind = Word(DocumentKind, required=True)
    number = Text(required=True, most=64)
    valid_until = Day(load_default=None, allow_none=True)


class PersonIn(Form):
    document = Part(DocumentIn, required=True)
    name = Text(required=True, most=60)
    phone = Phone(required=True)
    method = Word(CheckMethod, required=True)
    notice_version = Text(required=True, code=True, most=20, pattern="[0-9A-Za-z.-]{1,20}")
    evidence = PlainCode(load_default=None, allow_none=True)


class IdentityCheckIn(Form):
    document = Part(DocumentIn, required=True)
    method = Word(CheckMethod, required=True)
    passed = Flag(required=True)
    evidence = PlainCode(load_default=None, allow_none=True)


class RevealIn(Form):
    fields_asked = Rows(Word(RevealField), least=1, most=3, required=True, data_key="fields")
    reason = Word(RevealReason, required=True)
    purpose = Word(RevealPurpose, required=True)
    case_no = PlainCode(load_default=None, allow_none=True)


class PersonView(View):
    person_id = Id()


class IdentityCheckView(View):
    person_id = Id()
    check_id = Id()


class RevealView(View):
    """Only what was asked is there; null: nobody is registered, or the data was erased."""

    household_id = Id()
    person_id = Id(allow_none=True)
    address = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)


# --------------------------------------------------------------------------------------------------------
# Premises, households, accounts, cards


class SeenIn(Form):
    """What somebody saw of a place. Absent or null: not known."""

    piped_gas = Flag(allow_none=True)
    lift = Flag(allow_none=True)
    height_m = Number(allow_none=True, most=1000)
    floor_kind = Word(FloorKind, allow_none=True)
    converted_to_pipe = Flag(allow_none=True)
    has_cylinder_room = Flag(allow_none=True)
    bottle_place = Word(BottlePlace, allow_none=True)
    other_fuel_in_room = Flag(allow_none=True)
    leak_alarm = Flag(allow_none=True)
    crowded = Flag(allow_none=True)
    category = Word(SmallPlace, allow_none=True)
    rental = Word(RentalKind, allow_none=True)
    house_code = PlainCode(allow_none=True)
    rental_cap = Number(allow_none=True, most=1000)


class SurveyIn(SeenIn):
    """What was seen, on which day (today where none is named), and the code of what shows it."""

    seen_on = Day(load_default=None, allow_none=True)
    evidence = PlainCode(load_default=None, allow_none=True)


class PlaceIn(SeenIn):
    """Loads to a ``Place``. Some rules look at the place and some at its user: the two must agree."""

    address = Text(required=True, most=200)
    point = Part(PointForm, required=True)
    street_code = Text(required=True, code=True, most=20, pattern=r"[0-9A-Z-]{2,20}")
    committee_code = Text(required=True, code=True, most=20, pattern=r"[0-9A-Z-]{2,20}")
    estate_code = Text(allow_none=True, load_default=None, code=True, most=30, pattern=r"[0-9A-Z-]{2,30}")
    building_code = Text(allow_none=True, load_default=None, code=True, most=30, pattern=r"[0-9A-Z-]{2,30}")
    kind = Word(PremisesKind, required=True)
    user_class = Word(UserClass, required=True)
    vulnerable = Flag(load_default=False)

    @ma.validates_schema
    def kind_and_class_agree(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if "kind" in form and "user_class" in form and CLASS_AT[form["kind"]] is not form["user_class"]:
            word = CLASS_AT[form["kind"]].value
            raise ValidationError(
                f"agree|与场所类型不符，应为{word}|expected {word}, to agree with the kind of place",
                "user_class",
            )

    @ma.post_load
    def as_place(self, form: dict[str, Any], **kwargs: Any) -> Place:
        return Place(**form)


class CardIn(Form):
    """``cylinder_model`` stands in entries: a type's code, no words. The bottles' room has the types."""

    cylinder_model = model_code(required=True)


class AccountIn(Form):
    household_id = Id(required=True)
    person_id = Id(required=True)
    firm_id = Id(required=True)
    applied_on = Day(required=True)
    kind = Word(AccountBusiness, load_default=AccountBusiness.OPENING)
    cards = Rows(Part(CardIn), least=1, most=50, required=True)

    @ma.validates_schema
    def is_an_opening(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _one_of(form, AccountBusiness.OPENING, AccountBusiness.CHANGE_OF_ADDRESS, AccountBusiness.REOPENING)


class TransferIn(Form):
    person_id = Id(required=True)
    applied_on = Day(required=True)
    kind = Word(AccountBusiness, load_default=AccountBusiness.TRANSFER)

    @ma.validates_schema
    def is_a_transfer(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _one_of(form, AccountBusiness.TRANSFER, AccountBusiness.SUCCESSION)


def _one_of(form: Mapping[str, Any], *kinds: AccountBusiness) -> None:
    if "kind" in form and form["kind"] not in kinds:
        words = ", ".join(kind.value for kind in kinds)
        raise ValidationError(f"word|应为以下之一：{words}|expected one of: {words}", "kind")


class SuspensionIn(Form):
    reason = Word(SuspensionReason, required=True)


class ContractTermIn(Form):
    number = Code(required=True)
    valid_from = Day(required=True)
    valid_until = Day(required=True)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _ends_after("valid_from", "valid_until", form)


class ContractIn(ContractTermIn):
    account_id = Id(required=True)
    firm_id = Id(load_default=None, allow_none=True)


class NothingIn(Form):
    """An act that needs nothing said."""


class PlacedView(View):
    premises_id = Id()
    household_id = Id()


class CardView(View):
    id = Id()
    account_id = Id()
    household_id = Id()
    cylinder_model = fields.String()
    state = fields.String()
    exception = Word(CardException, allow_none=True)


class PrintableCardView(CardView):
    qr = fields.String(allow_none=True)


class ContractView(View):
    id = Id()
    account_id = Id()
    firm_id = Id()
    number = fields.String()
    valid_from = Day()
    valid_until = Day()


class BareAccountView(View):
    id = Id()
    household_id = Id()
    firm_id = Id()
    person_id = Id()
    state = fields.String()
    origin = fields.String()
    applied_on = Day()
    opened_on = Day()
    to_review = fields.Boolean()
    recorded_at = Instant()


class AccountView(BareAccountView):
    cards = fields.List(fields.Nested(PrintableCardView))
    contracts = fields.List(fields.Nested(ContractView))


class SeenFlagView(View):
    """When a fact of the place was last seen, and what shows it."""

    name = fields.String()
    seen_on = Day()
    evidence = fields.String(allow_none=True)


class PremisesView(View):
    id = Id()
    street_code = fields.String()
    committee_code = fields.String()
    estate_code = fields.String(allow_none=True)
    building_code = fields.String(allow_none=True)
    kind = Word(PremisesKind)
    point = fields.Nested(SitePointView)
    piped_gas = fields.Boolean(allow_none=True)
    lift = fields.Boolean(allow_none=True)
    height_m = fields.Integer(allow_none=True)
    floor_kind = fields.String(allow_none=True)
    converted_to_pipe = fields.Boolean(allow_none=True)
    has_cylinder_room = fields.Boolean(allow_none=True)
    bottle_place = fields.String(allow_none=True)
    other_fuel_in_room = fields.Boolean(allow_none=True)
    leak_alarm = fields.Boolean(allow_none=True)
    crowded = fields.Boolean(allow_none=True)
    category = fields.String(allow_none=True)
    rental = fields.String(allow_none=True)
    house_code = fields.String(allow_none=True)
    rental_cap = fields.Integer(allow_none=True)
    seen = fields.List(fields.Nested(SeenFlagView))


class RegistrantView(View):
    person_id = Id()
    name_masked = fields.String(allow_none=True)
    phone_masked = fields.String(allow_none=True)
    verified = fields.Boolean()
    document_kind = fields.String(allow_none=True)
    document_valid_until = Day(allow_none=True)


class LettingView(View):
    """Who lets a home, masked. ``lapsed``: its last day is over and nobody has ended it."""

    id = Id()
    household_id = Id()
    landlord_masked = fields.String(allow_none=True)
    reference = fields.String()
    from_on = Day()
    until_on = Day()
    lapsed = Flag()
    recorded_at = Instant()
    ended_at = Instant(allow_none=True)


class HouseholdView(View):
    household_id = Id()
    user_class = Word(UserClass)
    vulnerable = fields.Boolean()
    closed_at = Instant(allow_none=True)
    address_masked = fields.String(allow_none=True)
    premises = fields.Nested(PremisesView)
    account = fields.Nested(BareAccountView, allow_none=True)
    registrant = fields.Nested(RegistrantView, allow_none=True)
    cards = fields.List(fields.Nested(CardView))
    contracts = fields.List(fields.Nested(ContractView))
    letting = fields.Nested(LettingView, allow_none=True)


# --------------------------------------------------------------------------------------------------------
# Imports


class ImportedCardIn(CardIn):
    exception = Word(CardException, load_default=None, allow_none=True)


class RegistrantIn(Form):
    document = Part(DocumentIn, required=True)
    name = Text(required=True, most=60)
    phone = Phone(required=True)


class UserRowIn(Form):
    """One existing user. ``applied_on``: the day of application, where it was not the day of opening."""

    premises = Part(PlaceIn, required=True)
    registrant = Part(RegistrantIn, required=True)
    opened_on = Day(required=True)
    applied_on = Day(load_default=None, allow_none=True)
    cards = Rows(Part(ImportedCardIn), least=1, most=50, required=True)
    contract = Part(ContractTermIn, load_default=None, allow_none=True)


class EvidenceIn(Form):
    """The paper an import rests on: which document, and its reference."""

    document = PlainCode(required=True)
    reference = PlainCode(required=True)


class UserImportIn(Form):
    """Rows are read one by one, so that a wrong one is reported and does not hide the others."""

    firm_id = Id(required=True)
    evidence = Part(EvidenceIn, required=True)
    on_error = Text(
        required=True, pattern="proceed|rollback", expected=("proceed 或 rollback", "proceed or rollback")
    )
    rows = Rows(fields.Raw(), least=1, most=MAX_IMPORT_ROWS, required=True)


class FaultView(View):
    pointer = fields.String()
    code = fields.String()
    zh = fields.String()
    en = fields.String()


class ImportedRowView(View):
    index = fields.Integer()
    ok = fields.Boolean()
    household_id = Id(allow_none=True)
    account_id = Id(allow_none=True)
    person_id = Id(allow_none=True)
    card_ids = fields.List(Id())
    errors = fields.List(fields.Nested(FaultView))
    reasons = fields.List(fields.Dict())


class UserImportView(View):
    import_id = Id()
    accepted = fields.Integer()
    refused = fields.Integer()
    root = fields.String()
    items = fields.List(fields.Nested(ImportedRowView))

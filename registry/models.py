"""Tables of the registry.

Reference group (few rows, read everywhere): firms, sites, licences. District group: everything that
belongs where it was registered; the key ``district`` stands first and never changes. Person and
identifier groups: people, and the blind indexes of their documents.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, JsonList, NewId, grouped
from registry.states import AccountState, CardState


class HolderKind(StrEnum):
    """Who can hold a bottle."""

    SITE = "site"
    COURIER = "courier"
    HOUSEHOLD = "household"
    AGENCY = "agency"


# --- firms, sites and their papers (reference) ---------------------------------------------------------


class Firm(Base):
    """经营企业. ``home_district`` is where its staff, vehicles, devices and bindings are filed."""

    __tablename__ = "firm"
    __table_args__ = grouped(Group.REFERENCE, sa.UniqueConstraint("uscc"))

    id: Mapped[NewId]
    home_district: Mapped[int]
    name: Mapped[str]
    uscc: Mapped[str]
    recorded_at: Mapped[datetime]


class Site(Base):
    """充装站, 供应站 or depot. ``kinds`` may hold several words of ``SiteKind``."""

    __tablename__ = "site"
    __table_args__ = grouped(Group.REFERENCE, sa.ForeignKeyConstraint(["firm_id"], ["firm.id"]))

    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    district: Mapped[int]
    name: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(JSONB)
    lon: Mapped[float]
    lat: Mapped[float]
    stock_cap: Mapped[int]
    recorded_at: Mapped[datetime]


class InspectionAgency(Base):
    """检验机构, under its approval (核准证). It holds what is with it, and says whether a bottle passes."""

    __tablename__ = "inspection_agency"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.UniqueConstraint("approval_no"),
        sa.CheckConstraint("approved_until >= approved_from", name="span"),
    )

    id: Mapped[NewId]
    home_district: Mapped[int]
    name: Mapped[str]
    approval_no: Mapped[str]
    approved_from: Mapped[date]
    approved_until: Mapped[date]
    recorded_at: Mapped[datetime]


class SiteKind(StrEnum):
    FILLING_STATION = "filling_station"
    SUPPLY_POINT = "supply_point"
    DEPOT = "depot"


class LicenceKind(StrEnum):
    """燃气经营许可 of a firm, 气瓶充装许可 of a filling station, 供应站点许可 of a site."""

    GAS_BUSINESS = "gas_business"
    CYLINDER_FILLING = "cylinder_filling"
    SITE_PERMIT = "site_permit"


class Licence(Base):
    """A paper that is in force from ``valid_from`` to the end of ``valid_until``."""

    __tablename__ = "licence"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.UniqueConstraint("kind", "number"),
        sa.CheckConstraint("valid_until >= valid_from", name="span"),
        sa.CheckConstraint("(firm_id IS NULL) <> (site_id IS NULL)", name="one_holder"),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"]),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"]),
    )

    id: Mapped[NewId]
    kind: Mapped[LicenceKind]
    firm_id: Mapped[UUID | None]
    site_id: Mapped[UUID | None]
    number: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date]


# --- people, vehicles and devices of a firm (district: the firm's home) -----------------------------------


class StaffKind(StrEnum):
    COURIER = "courier"
    FILLER = "filler"
    DISPATCHER = "dispatcher"
    CLERK = "clerk"


class Staff(Base):
    """A member of a firm's staff. Name and phone are sealed under the subject (staff, id)."""

    __tablename__ = "staff"
    __table_args__ = grouped(
        Group.DISTRICT, sa.CheckConstraint("certificate_until >= certificate_from", name="span")
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    kind: Mapped[StaffKind]
    name_sealed: Mapped[bytes]
    phone_sealed: Mapped[bytes]
    certificate_no: Mapped[str]
    certificate_from: Mapped[date]
    certificate_until: Mapped[date]
    recorded_at: Mapped[datetime]


class TrainingCourse(StrEnum):
    """岗前培训 before the first day, 继续教育 each time after."""

    INDUCTION = "induction"
    REFRESHER = "refresher"


class Training(Base):
    """A member of staff passed a course of safety training, which holds to the end of ``valid_until``."""

    __tablename__ = "training"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("valid_until >= trained_on", name="span"),
        sa.ForeignKeyConstraint(["district", "staff_id"], ["staff.district", "staff.id"]),
        sa.Index("ix_training_staff_id", "district", "staff_id"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    staff_id: Mapped[UUID]
    course: Mapped[TrainingCourse]
    reference: Mapped[str]
    trained_on: Mapped[date]
    valid_until: Mapped[date]
    recorded_at: Mapped[datetime]


class VehicleKind(StrEnum):
    """Also the travel profile by which rounds are planned."""

    ETRIKE = "etrike"
    SMALL_TRUCK = "small_truck"


class Vehicle(Base):
    """Permit and load limits come from the vehicle's own file; nothing is assumed from its kind."""

    __tablename__ = "vehicle"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "plate"),
        sa.CheckConstraint("permit_until >= permit_from", name="span"),
        sa.CheckConstraint("max_cylinders > 0 AND max_nominal_g > 0 AND max_trips > 0", name="limits"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    kind: Mapped[VehicleKind]
    plate: Mapped[str]
    permit_no: Mapped[str]
    permit_from: Mapped[date]
    permit_until: Mapped[date]
    max_cylinders: Mapped[int]
    max_nominal_g: Mapped[int]
    max_trips: Mapped[int]
    carries_50kg: Mapped[bool]
    recorded_at: Mapped[datetime]


class Device(Base):
    """A phone or terminal of the firm. Its key signs what it reports later (device inbox).

    One device, one key for life: a phone set up anew is a new device. ``contiguous_seq``: everything up to
    this number of its sequence is in the inbox; the phone may forget it.
    """

    __tablename__ = "device"
    __table_args__ = grouped(Group.DISTRICT)

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    label: Mapped[str]
    public_key: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    contiguous_seq: Mapped[int] = mapped_column(default=0)


class ScanKind(StrEnum):
    """What a courier's phone reports. Filling is not among them: it is never done offline."""

    LOAD = "load"
    DELIVER = "deliver"
    WITHHOLD = "withhold"
    FAIL = "fail"
    TAKE_EMPTY = "take_empty"
    BRING_BACK = "bring_back"


class ScanStatus(StrEnum):
    """What became of a signed string when it first came in. All of them are kept.

    ``flagged``: recorded, and something was wrong with it. ``held``: recorded, and it contradicts what is
    on record: the bottle stops until a person says what is true. ``unreadable``: kept, and not understood.
    """

    ACCEPTED = "accepted"
    FLAGGED = "flagged"
    HELD = "held"
    UNREADABLE = "unreadable"


class DeviceInbox(Base):
    """What a device signed, as it signed it. Same place and hash: a repeat; another hash: an alarm.

    ``status`` and ``codes`` are the first answer, said again to every repeat. ``occurred_at`` was computed
    once, at receipt; null where the string could not be read.
    """

    __tablename__ = "device_inbox"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("device_seq >= 1", name="seq"),
        sa.ForeignKeyConstraint(["district", "device_id"], ["device.district", "device.id"]),
        append_only=True,
    )

    district: Mapped[District]
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_seq: Mapped[int] = mapped_column(primary_key=True)
    signed: Mapped[str]
    hash: Mapped[bytes]
    received_at: Mapped[datetime]
    signature: Mapped[bytes]
    kind: Mapped[ScanKind | None]
    status: Mapped[ScanStatus]
    codes: Mapped[JsonList]
    occurred_at: Mapped[datetime | None]
    uncertainty_s: Mapped[int | None]
    entry_id: Mapped[UUID]


class AsideReason(StrEnum):
    """Why a string has no place in the device's sequence."""

    FORKED = "device_forked"
    BAD_SIGNATURE = "bad_signature"
    NO_SEQUENCE = "no_sequence"


class DeviceInboxAside(Base):
    """Strings kept beside the inbox: another string for a place that is taken, a signature that is not the
    device's, a text without a sequence number (then 0). Bytes: it may be no text at all.

    ``hash``: the string's; where the signature is not the device's, of the string's hash and that signature.
    """

    __tablename__ = "device_inbox_aside"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "device_id"], ["device.district", "device.id"]),
        append_only=True,
    )

    district: Mapped[District]
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    signed: Mapped[bytes]
    signature: Mapped[bytes]
    why: Mapped[AsideReason]
    received_at: Mapped[datetime]
    entry_id: Mapped[UUID]


# --- zones and bindings -------------------------------------------------------------------------------------


class ZoneSet(Base):
    """A version of a district's zones, in force from a day."""

    __tablename__ = "zone_set"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "version"),
        sa.UniqueConstraint("district", "valid_from"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    version: Mapped[int]
    valid_from: Mapped[date]
    recorded_at: Mapped[datetime]


class Zone(Base):
    """固定配送范围: a polygon (GeoJSON, WGS-84) served by one firm; ``number`` settles shared borders."""

    __tablename__ = "zone"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "zone_set_id", "number"),
        sa.ForeignKeyConstraint(["district", "zone_set_id"], ["zone_set.district", "zone_set.id"]),
        sa.CheckConstraint("closes_s > opens_s AND opens_s >= 0 AND closes_s <= 86400", name="hours"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    zone_set_id: Mapped[UUID]
    number: Mapped[int]
    name: Mapped[str]
    firm_id: Mapped[UUID]
    supply_site_id: Mapped[UUID]
    outline: Mapped[dict[str, Any]] = mapped_column(JSONB)
    opens_s: Mapped[int]
    closes_s: Mapped[int]


class Binding(Base):
    """人车对应: this courier drives this vehicle with this device in this zone, for this span of time.

    ``district`` is the firm's home; the zone's district is a column of its own. The database refuses
    overlaps of a courier, a vehicle or a device. A binding withdrawn before it began has an empty span,
    which holds at no time and clashes with nothing.
    """

    __tablename__ = "binding"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "courier_id"], ["staff.district", "staff.id"]),
        sa.ForeignKeyConstraint(["district", "vehicle_id"], ["vehicle.district", "vehicle.id"]),
        sa.ForeignKeyConstraint(["district", "device_id"], ["device.district", "device.id"]),
        ExcludeConstraint(
            ("district", "="), ("courier_id", "="), ("span", "&&"), name="ex_binding_courier", using="gist"
        ),
        ExcludeConstraint(
            ("district", "="), ("vehicle_id", "="), ("span", "&&"), name="ex_binding_vehicle", using="gist"
        ),
        ExcludeConstraint(
            ("district", "="), ("device_id", "="), ("span", "&&"), name="ex_binding_device", using="gist"
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    courier_id: Mapped[UUID]
    vehicle_id: Mapped[UUID]
    device_id: Mapped[UUID]
    zone_district: Mapped[int]
    zone_id: Mapped[UUID]
    span: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    recorded_at: Mapped[datetime]


# --- premises, households, people ---------------------------------------------------------------------------


class PremisesKind(StrEnum):
    DWELLING = "dwelling"
    RESTAURANT = "restaurant"
    OTHER_BUSINESS = "other_business"


class Premises(Base):
    """Where gas is used. The address is a blind index here; its text is sealed with the household.

    Facts that nobody has looked at are null (unknown): each premises rule says what unknown means.
    ``house_code``: the town's code of the house whose let rooms share one ``rental_cap`` (控制数).
    """

    __tablename__ = "premises"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "address_scheme", "address_index"),
        sa.Index("ix_premises_house_code", "district", "house_code"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    street_code: Mapped[str]
    committee_code: Mapped[str]
    address_scheme: Mapped[str]
    address_index: Mapped[bytes]
    lon: Mapped[float]
    lat: Mapped[float]
    kind: Mapped[PremisesKind]
    piped_gas: Mapped[bool | None]
    lift: Mapped[bool | None]
    height_m: Mapped[int | None]
    floor_kind: Mapped[str | None]
    converted_to_pipe: Mapped[bool | None]
    has_cylinder_room: Mapped[bool | None]
    recorded_at: Mapped[datetime]
    bottle_place: Mapped[str | None]
    other_fuel_in_room: Mapped[bool | None]
    leak_alarm: Mapped[bool | None]
    crowded: Mapped[bool | None]
    category: Mapped[str | None]
    rental: Mapped[str | None]
    house_code: Mapped[str | None]
    rental_cap: Mapped[int | None]
    estate_code: Mapped[str | None] = mapped_column(default=None)
    building_code: Mapped[str | None] = mapped_column(default=None)


class UserClass(StrEnum):
    """用户类别: a household holds one card; a business several, by contract and weight limit."""

    RESIDENT = "resident"
    RESTAURANT = "restaurant"
    OTHER_BUSINESS = "other_business"


CLASS_AT = {
    PremisesKind.DWELLING: UserClass.RESIDENT,
    PremisesKind.RESTAURANT: UserClass.RESTAURANT,
    PremisesKind.OTHER_BUSINESS: UserClass.OTHER_BUSINESS,
}
"""Who uses gas in which kind of place."""


class Household(Base):
    """户: an address unit, a family's or a business's. One is active per premises."""

    __tablename__ = "household"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "premises_id"], ["premises.district", "premises.id"]),
        sa.Index(
            "uq_household_active_premises",
            "district",
            "premises_id",
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("ix_household_premises_id", "district", "premises_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    premises_id: Mapped[UUID]
    user_class: Mapped[UserClass]
    address_sealed: Mapped[bytes]
    vulnerable: Mapped[bool]
    closed_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]


class Person(Base):
    """A registrant. Name, phone and the salt of their commitments are sealed under (person, id)."""

    __tablename__ = "person"
    __table_args__ = grouped(Group.PERSON)

    person_id: Mapped[NewId]
    name_sealed: Mapped[bytes]
    phone_sealed: Mapped[bytes]
    salt_sealed: Mapped[bytes]
    principal_id: Mapped[UUID]
    recorded_at: Mapped[datetime]


class PersonDocument(Base):
    """The blind index of an identity document: one document, one person, in every district."""

    __tablename__ = "person_document"
    __table_args__ = grouped(
        Group.IDENTIFIER, sa.Index("ix_person_document_person_id", "person_id"), erasable=True
    )

    scheme: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    recorded_at: Mapped[datetime]


class PersonPhone(Base):
    """The blind index of a person's telephone number. Not unique: a family shares a telephone."""

    __tablename__ = "person_phone"
    __table_args__ = grouped(
        Group.IDENTIFIER, sa.Index("ix_person_phone_person_id", "person_id"), erasable=True
    )

    scheme: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime]


class PhoneChallenge(Base):
    """Somebody said a telephone number and was asked for the code sent there.

    Also for a number nobody has: ``person_ids`` is empty then. Neither number nor code stands here: the
    code follows from the id by a key that is not in the database.
    """

    __tablename__ = "phone_challenge"
    __table_args__ = grouped(
        Group.EXEMPT,
        sa.CheckConstraint("wrong_tries >= 0", name="wrong_tries"),
        sa.Index("ix_phone_challenge_asked_at", "asked_at"),
        erasable=True,
    )

    id: Mapped[NewId]
    person_ids: Mapped[JsonList]
    wrong_tries: Mapped[int]
    asked_at: Mapped[datetime]
    passed_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class CheckMethod(StrEnum):
    """How an identity was checked."""

    DOCUMENT_SEEN = "document_seen"
    DATABASE = "database"
    AT_THE_DOOR = "at_the_door"


class IdentityCheck(Base):
    """实名登记 is an event: who checked which kind of document, how, when, and until when it holds.

    ``evidence``: the code of what it can be shown by (a counter's copy, an inquiry's number).
    """

    __tablename__ = "identity_check"
    __table_args__ = grouped(
        Group.PERSON,
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"]),
        append_only=True,
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    document_kind: Mapped[str]
    number_sealed: Mapped[bytes]
    valid_until: Mapped[date | None]
    method: Mapped[CheckMethod]
    passed: Mapped[bool]
    checked_by: Mapped[UUID]
    checked_at: Mapped[datetime]
    evidence: Mapped[str | None]


# --- accounts, cards, contracts ---------------------------------------------------------------------------


class AccountOrigin(StrEnum):
    OPENED = "opened"
    IMPORTED = "imported"


class Account(Base):
    """用户: a household's standing with one firm, in the name of one registrant."""

    __tablename__ = "account"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.Index(
            "uq_account_live_household",
            "district",
            "household_id",
            unique=True,
            postgresql_where=sa.text("state <> 'closed'"),
        ),
        sa.Index("ix_account_household_id", "district", "household_id"),
        sa.Index("ix_account_person_id", "person_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    person_id: Mapped[UUID]
    state: Mapped[AccountState]
    origin: Mapped[AccountOrigin]
    applied_on: Mapped[date]
    opened_on: Mapped[date]
    import_id: Mapped[UUID | None]
    to_review: Mapped[bool]
    recorded_at: Mapped[datetime]


class CardException(StrEnum):
    """Why a card may book although it holds no bottle to swap."""

    FIRST_SUPPLY = "first_supply"
    BOTTLE_LOST = "bottle_lost"


class Card(Base):
    """卡: one bottle of one type at most. Its id stays for life, its credential is replaced."""

    __tablename__ = "card"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.UniqueConstraint("district", "credential"),
        sa.Index(
            "uq_card_live_resident_household",
            "district",
            "household_id",
            unique=True,
            postgresql_where=sa.text("state <> 'closed' AND user_class = 'resident'"),
        ),
        sa.Index("ix_card_account_id", "district", "account_id"),
        sa.Index("ix_card_household_id", "district", "household_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    account_id: Mapped[UUID]
    household_id: Mapped[UUID]
    user_class: Mapped[UserClass]
    cylinder_model: Mapped[str]
    credential: Mapped[str]
    state: Mapped[CardState]
    exception: Mapped[CardException | None]
    next_booking_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]


class Contract(Base):
    """A business's supply contract with a firm, in force to the end of ``valid_until``."""

    __tablename__ = "contract"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        sa.CheckConstraint("valid_until >= valid_from", name="span"),
        sa.Index("ix_contract_account_id", "district", "account_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    account_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    number: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    recorded_at: Mapped[datetime]


class ResidentRegistration(Base):
    """One person is the registrant of one live resident account, in whichever district."""

    __tablename__ = "resident_registration"
    __table_args__ = grouped(
        Group.PERSON,
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"]),
        sa.Index(
            "uq_resident_registration_active", "person_id", unique=True, postgresql_where=sa.text("active")
        ),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    district: Mapped[int]
    account_id: Mapped[UUID]
    active: Mapped[bool]

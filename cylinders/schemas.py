"""Shapes in and out. What the law says of a bottle is not said here."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from core.fields import (
    Day,
    Flag,
    Form,
    Id,
    Instant,
    Number,
    PageQuery,
    Part,
    Rows,
    Scanned,
    Text,
    View,
    Word,
    page_view,
)
from cylinders.models import (
    CountedWrong,
    ErrorReason,
    FactKind,
    HoldKind,
    Phase,
    ResolutionReason,
    Scheme,
    ScrapMethod,
    WhyCodeVoid,
    WhyCountedWrong,
)
from cylinders.refill_gate import Precision, Purpose
from registry.fields import model_code
from registry.models import HolderKind
from registry.schemas import EvidenceIn, FaultView

MOST_CODES = 1000
MOST_ROWS = 500
MOST_COUNTED = 2000
HEAVIEST_G = 500_000


def code_like(**kwargs: Any) -> Text:
    """A number or code that stands in an entry: no free text."""
    return Text(
        most=64,
        code=True,
        pattern=r"[0-9A-Za-z./()_-]+",
        expected=("编号：字母、数字和 . / ( ) _ -", "a code of letters, digits and . / ( ) _ -"),
        **kwargs,
    )


# --------------------------------------------------------------------------------------------------------
# Types


class TypeIn(Form):
    model = model_code(required=True)
    water_ml = Number(required=True, least=1)
    max_fill_g = Number(required=True, least=1, most=HEAVIEST_G)
    nominal_g = Number(required=True, least=1, most=HEAVIEST_G)
    units = Number(required=True, least=1, most=100)
    needs_truck = Flag(required=True)
    phase = Word(Phase, load_default=None)
    material = code_like(load_default=None)
    standard = Text(most=40, code=True, load_default=None)


class TypeOut(View):
    model = fields.String()
    water_ml = fields.Integer()
    max_fill_g = fields.Integer()
    nominal_g = fields.Integer()
    units = fields.Integer()
    needs_truck = fields.Boolean()
    phase = Word(Phase)
    material = fields.String()
    standard = fields.String()


class TypesOut(View):
    items = fields.List(fields.Nested(TypeOut))


# --------------------------------------------------------------------------------------------------------
# Registering and importing


class IdentifierIn(Form):
    scheme = Word(Scheme, required=True)
    value = Text(required=True, most=128, code=True)


class LastInspectionIn(Form):
    inspected_on = Day(required=True)
    day_precision = Word(Precision, load_default=Precision.MONTH)
    passed = Flag(required=True)
    agency = code_like(required=True)
    report_no = code_like(required=True)


class HolderIn(Form):
    """Where the bottle is: at a site, or with the household that a card belongs to."""

    site_id = Id()
    district = Number(least=100000, most=999999)
    card_id = Id()

    @ma.validates_schema
    def one_holder(self, holder: Mapping[str, Any], **kwargs: Any) -> None:
        if set(holder) not in ({"site_id"}, {"district", "card_id"}):
            raise ma.ValidationError(
                "holder|应为 site_id，或 district 加 card_id|expected site_id, or district and card_id"
            )


class BottleRow(Form):
    """One bottle: what is stamped on it and filed about it. Null or absent is not known, and unknown is no.

    Without a platform code among its identifiers the bottle is given a fresh one.
    """

    model = model_code(required=True)
    identifiers = Rows(Part(IdentifierIn), most=8, load_default=list)
    owner_firm_id = Id(load_default=None)
    registered_by_firm_id = Id(load_default=None)
    registered_on = Day(load_default=None)
    entrusted_to_firm_id = Id(load_default=None)
    standard = Text(most=40, code=True, load_default=None)
    phase = Word(Phase, load_default=None)
    material = code_like(load_default=None)
    tare_g = Number(least=1, most=HEAVIEST_G, load_default=None)
    max_fill_g = Number(least=1, most=HEAVIEST_G, load_default=None)
    made_on = Day(load_default=None)
    made_precision = Word(Precision, load_default=Precision.MONTH)
    design_life_months = Number(least=1, most=1200, load_default=None)
    extended_until = Day(load_default=None)
    extension_assessed = Flag(load_default=False)
    extension_registered = Flag(load_default=False)
    bought_on = Day(load_default=None)
    embossed_owner_mark = Flag(load_default=None)
    refurbished = Flag(load_default=None)
    illegal_make = Flag(load_default=False)
    screwed_guard = Flag(load_default=False)
    scrap_ordered = Flag(load_default=False)
    last_inspection = Part(LastInspectionIn, load_default=None)
    holder = Part(HolderIn, load_default=None)
    full = Flag(load_default=False)


class CylinderIn(BottleRow):
    firm_id = Id(required=True)


class FiledOut(View):
    cylinder_id = fields.String()
    platform_code = fields.String()


class ImportIn(Form):
    """Rows are read one by one, so that a wrong one is reported and does not hide the others."""

    firm_id = Id(required=True)
    evidence = Part(EvidenceIn, required=True)
    on_error = Text(
        required=True, pattern="proceed|rollback", expected=("proceed 或 rollback", "proceed or rollback")
    )
    rows = Rows(fields.Raw(), least=1, most=MOST_ROWS, required=True)


class ImportedRowOut(View):
    index = fields.Integer()
    ok = fields.Boolean()
    cylinder_id = Id(allow_none=True)
    platform_code = fields.String(allow_none=True)
    errors = fields.List(fields.Nested(FaultView))
    reasons = fields.List(fields.Dict())


class ImportOut(View):
    import_id = Id()
    accepted = fields.Integer()
    refused = fields.Integer()
    root = fields.String()
    items = fields.List(fields.Nested(ImportedRowOut))


# --------------------------------------------------------------------------------------------------------
# Asking


class VerdictQuery(Form):
    """``scale``: by its number; without one the station's only scale is judged, and none of several."""

    purpose = Word(Purpose, load_default=Purpose.FILL)
    site = Id(load_default=None)
    filler = Id(load_default=None)
    scale = code_like(load_default=None)


class VerdictsIn(VerdictQuery):
    codes = Rows(Scanned(), least=1, most=MOST_CODES, required=True)


class VerdictOut(View):
    ask_id = Id()
    code = fields.String()
    cylinder_id = Id()
    allowed = fields.Boolean()
    reasons = fields.List(fields.Dict())
    next_due_on = Day()
    max_fill_g = fields.Integer()
    tare_g = fields.Integer()
    edition = fields.String()
    asked_at = Instant()


class VerdictsOut(View):
    items = fields.List(fields.Nested(VerdictOut))


# --------------------------------------------------------------------------------------------------------
# Filling and receiving


class CheckedItemIn(Form):
    item = code_like(required=True)
    passed = Flag(required=True)


class FillingIn(Form):
    code = Scanned(required=True)
    site_id = Id(required=True)
    filler_id = Id(required=True)
    scale = code_like(required=True)
    tare_weighed_g = Number(required=True, least=1, most=HEAVIEST_G)
    residue_g = Number(required=True, least=0, most=HEAVIEST_G)
    gross_g = Number(required=True, least=1, most=HEAVIEST_G)
    checks_before = Rows(Part(CheckedItemIn), least=1, most=40, required=True)
    checks_after = Rows(Part(CheckedItemIn), least=1, most=40, required=True)
    seal_no = code_like(required=True)


class FillingOut(View):
    cylinder_id = Id()
    id = Id()
    site_id = Id()
    filler_id = Id()
    scale = fields.String()
    tare_weighed_g = fields.Integer()
    residue_g = fields.Integer()
    net_g = fields.Integer()
    gross_g = fields.Integer()
    checks_before = fields.List(fields.Dict())
    checks_after = fields.List(fields.Dict())
    seal_no = fields.String()
    decision_id = Id()
    filled_at = Instant()
    authorisation_id = Id()
    flags = fields.List(fields.String())


class ReceiptIn(Form):
    """``residue_g``: what was left in it, if that was weighed as it came in."""

    code = Scanned(required=True)
    residue_g = Number(least=0, most=HEAVIEST_G, load_default=None)


class ReceiptOut(View):
    cylinder_id = fields.String()
    site_id = fields.String()
    full = fields.Boolean()


class CountIn(Form):
    """盘点: the code of every bottle that stands at the site, full and empty apart."""

    full = Rows(Scanned(), most=MOST_COUNTED, required=True)
    empty = Rows(Scanned(), most=MOST_COUNTED, required=True)


class ExplanationIn(Form):
    """``reference``: of the paper, the round or the receipt that shows it."""

    number = Number(required=True, least=1)
    why = Word(WhyCountedWrong, required=True)
    reference = code_like(load_default=None)


class CountedModelOut(View):
    model = fields.String()
    full_counted = fields.Integer()
    full_expected = fields.Integer()
    empty_counted = fields.Integer()
    empty_expected = fields.Integer()


class ExplanationOut(View):
    why = Word(WhyCountedWrong)
    zh = fields.String()
    en = fields.String()
    reference = fields.String(allow_none=True)
    explained_at = Instant()


class DifferenceOut(View):
    """``holder_kind`` and ``since``: who had the bottle by its last scan, and from when. Never whose name."""

    number = fields.Integer()
    kind = Word(CountedWrong)
    zh = fields.String()
    en = fields.String()
    cylinder_id = Id(allow_none=True)
    code = fields.String(allow_none=True)
    model = fields.String(allow_none=True)
    holder_kind = Word(HolderKind, allow_none=True)
    since = Instant(allow_none=True)
    explanation = fields.Nested(ExplanationOut, allow_none=True)


class CountOut(View):
    id = Id()
    site_id = Id()
    models = fields.List(fields.Nested(CountedModelOut))
    differences = fields.List(fields.Nested(DifferenceOut))
    unexplained = fields.Integer()
    counted_at = Instant()


class CountsQuery(PageQuery):
    day = Day()


CountPage = page_view(CountOut)


class StockedModelOut(View):
    model = fields.String()
    full = fields.Integer()
    empty = fields.Integer()


class StockOut(View):
    """What custody says stands at the site now. ``counted``: of these, how many count against the cap;
    ``over_cap``: what to do where they are more."""

    site_id = Id()
    name = fields.String()
    kinds = fields.List(fields.String())
    models = fields.List(fields.Nested(StockedModelOut))
    full = fields.Integer()
    empty = fields.Integer()
    stock_cap = fields.Integer()
    counted = fields.Integer()
    over_cap = fields.List(fields.Dict())
    as_of = Instant()


class StocksOut(View):
    items = fields.List(fields.Nested(StockOut))


class SiteDayQuery(Form):
    """``on``: a day in Shanghai; absent is today."""

    on = Day(load_default=None)


class SiteFillingOut(View):
    id = Id()
    cylinder_id = Id()
    code = fields.String(allow_none=True)
    net_g = fields.Integer()
    gross_g = fields.Integer()
    seal_no = fields.String()
    filled_at = Instant()


class SiteRefusalOut(View):
    refusal_no = fields.String()
    verb = fields.String()
    code = fields.String()
    recorded_at = Instant()
    reasons = fields.List(fields.Dict())


class SiteDayOut(View):
    """The lists hold the latest first, 500 at most; the sums count all."""

    day = Day()
    fillings = fields.Integer()
    net_g = fields.Integer()
    refusals = fields.Integer()
    receipts = fields.Integer()
    filled = fields.List(fields.Nested(SiteFillingOut))
    refused = fields.List(fields.Nested(SiteRefusalOut))


class LossIn(Form):
    """``reference``: of the user's statement, or of the report to the police."""

    reference = code_like(required=True)


class LossOut(View):
    card_id = fields.String()
    cylinder_id = fields.String()


# --------------------------------------------------------------------------------------------------------
# Inspection, holds, scrapping


class InspectionIn(Form):
    inspected_on = Day(required=True)
    day_precision = Word(Precision, load_default=Precision.DAY)
    passed = Flag(required=True)
    report_no = code_like(required=True)


class HoldIn(Form):
    kind = Word(HoldKind, required=True)
    reference = code_like(required=True)

    @ma.validates("kind")
    def by_a_person(self, kind: HoldKind, **_: Any) -> None:
        if kind in (HoldKind.CONFLICT, HoldKind.CLAIMED_TWICE):
            raise ma.ValidationError(
                "word|冲突扣留由系统设置|a hold for a conflict is put by the system, not by a person"
            )


class ReleaseIn(Form):
    hold_id = Id(required=True)
    reference = code_like(required=True)


class ScrappingIn(Form):
    certificate_no = code_like(required=True)
    scrapped_on = Day(required=True)
    method = Word(ScrapMethod, required=True)


# --------------------------------------------------------------------------------------------------------
# The file of a bottle


class IdentifierOut(View):
    scheme = Word(Scheme)
    value = fields.String()
    active_from = Instant()
    voided_at = Instant()
    void_reason = Word(WhyCodeVoid)


class InspectionOut(View):
    id = Id()
    inspected_on = Day()
    day_precision = fields.String()
    passed = fields.Boolean()
    agency = fields.String()
    report_no = fields.String()


class HoldOut(View):
    id = Id()
    kind = Word(HoldKind)
    reference = fields.String()
    from_at = Instant()
    until_at = Instant()


class ScrappingOut(View):
    scrapped_on = Day()
    agency = fields.String()
    certificate_no = fields.String()
    method = Word(ScrapMethod)


class ExtensionOut(View):
    id = Id()
    basis = fields.Function(lambda row: row.basis.value)
    agency_id = Id()
    report_no = fields.String()
    assessed_on = Day()
    until_on = Day()


class RegistrationActOut(View):
    id = Id()
    kind = fields.Function(lambda row: row.kind.value)
    extension_id = Id()
    why = fields.Function(lambda row: row.why and row.why.value)
    document_no = fields.String()
    done_on = Day()


class SendingOut(View):
    id = Id()
    agency_id = Id()
    why = fields.Function(lambda row: row.why.value)
    reference = fields.String()
    sent_at = Instant()
    received_at = Instant()
    answered_at = Instant()


class SeizedOut(View):
    why = fields.Function(lambda row: row.why.value)
    receipt_no = fields.String()
    agency_id = Id()
    seized_at = Instant()


class CustodyOut(View):
    """A household is told apart from a site, never named: who it is stands in its own file."""

    holder_kind = fields.Function(lambda row: row.holder_kind and row.holder_kind.value)
    holder_id = Id()
    full = fields.Boolean()
    filled_at = Instant()
    effective_at = Instant()


class StampedOut(View):
    cylinder_id = Id()
    model = fields.String()
    state = fields.Function(lambda row: row.state.value)
    owner_firm_id = Id()
    registered_by_firm_id = Id()
    registered_on = Day()
    entrusted_to_firm_id = Id()
    standard = fields.String()
    phase = Word(Phase)
    material = fields.String()
    tare_g = fields.Integer()
    max_fill_g = fields.Integer()
    made_on = Day()
    made_precision = fields.String()
    design_life_months = fields.Integer()
    extended_until = Day()
    extension_assessed = fields.Boolean()
    extension_registered = fields.Boolean()
    bought_on = Day()
    embossed_owner_mark = fields.Boolean()
    refurbished = fields.Boolean()
    illegal_make = fields.Boolean()
    screwed_guard = fields.Boolean()
    scrap_ordered = fields.Boolean()
    import_id = Id()


class BottleOut(View):
    cylinder = fields.Nested(StampedOut)
    type = fields.Nested(TypeOut, allow_none=True)
    identifiers = fields.List(fields.Nested(IdentifierOut))
    inspections = fields.List(fields.Nested(InspectionOut))
    fillings = fields.List(fields.Nested(FillingOut))
    holds = fields.List(fields.Nested(HoldOut))
    scrapping = fields.Nested(ScrappingOut, allow_none=True)
    custody = fields.Nested(CustodyOut, allow_none=True)
    extensions = fields.List(fields.Nested(ExtensionOut))
    registration_acts = fields.List(fields.Nested(RegistrationActOut))
    sendings = fields.List(fields.Nested(SendingOut))
    seizure = fields.Nested(SeizedOut, allow_none=True)


# --------------------------------------------------------------------------------------------------------
# Custody: facts, contradictions, errors


class ConflictOut(View):
    """``fact_id`` lost against ``standing_fact_id`` (of ``standing_cylinder_id``, if another bottle's)."""

    id = Id()
    cylinder_id = Id()
    fact_id = Id()
    standing_fact_id = Id()
    standing_cylinder_id = Id()
    district = fields.Integer()
    card_id = Id()
    found_at = Instant()
    resolved_at = Instant()
    resolution = fields.String()
    true_fact_id = Id()


ConflictPage = page_view(ConflictOut)


class DeclarationOut(View):
    reason = Word(ErrorReason)
    corrective_fact_ids = fields.List(fields.String())
    conflict_id = Id()
    recorded_at = Instant()


class FactOut(View):
    """One fact, as recorded. ``effective_at``: its place in the bottle's order, as all facts tell it now."""

    id = Id(attribute="fact.id")
    kind = Word(FactKind, attribute="fact.kind")
    from_kind = Word(HolderKind, attribute="fact.from_kind")
    from_id = Id(attribute="fact.from_id")
    to_kind = Word(HolderKind, attribute="fact.to_kind")
    to_id = Id(attribute="fact.to_id")
    occurred_at = Instant(attribute="fact.occurred_at")
    uncertainty_s = fields.Integer(attribute="fact.uncertainty_s")
    recorded_at = Instant(attribute="fact.recorded_at")
    device_id = Id(attribute="fact.device_id")
    device_seq = fields.Integer(attribute="fact.device_seq")
    binding_id = Id(attribute="fact.binding_id")
    zone_id = Id(attribute="fact.zone_id")
    round_id = Id(attribute="fact.round_id")
    line_id = Id(attribute="fact.line_id")
    card_id = Id(attribute="fact.card_id")
    entry_id = Id(attribute="fact.entry_id")
    flags = fields.List(fields.String(), attribute="fact.flags")
    effective_at = Instant()
    standing = fields.String()
    declaration = fields.Nested(DeclarationOut, allow_none=True)


class FactsOut(View):
    items = fields.List(fields.Nested(FactOut))
    conflicts = fields.List(fields.Nested(ConflictOut))


class ResolutionIn(Form):
    """``true_fact_id``: which of the two facts is true."""

    true_fact_id = Id(required=True)
    reason = Word(ResolutionReason, required=True)


class ErrorIn(Form):
    """``corrective_fact_ids``: facts of the same bottle that say what really happened."""

    reason = Word(ErrorReason, required=True)
    corrective_fact_ids = Rows(Id(), most=20, load_default=list)

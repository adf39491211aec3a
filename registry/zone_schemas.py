"""Shapes of drafts of zones (a map's own file in, the same out, what is wrong with it) and of stand-ins."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import Day, Form, Id, Instant, Number, Part, Rows, Text, View, Word
from registry.fields import Geometry
from registry.schemas import MAX_ZONES
from registry.zone_models import SubstitutionReason


def _says(word: str) -> Text:
    """GeoJSON's own word for what this is."""
    return Text(required=True, pattern=word, expected=(word, word))


class ZonePropertiesIn(Form):
    """Beside the outline: all that a zone is."""

    number = Number(required=True, least=1, most=9999)
    name = Text(required=True, most=60)
    firm_id = Id(required=True)
    supply_site_id = Id(required=True)
    opens_s = Number(required=True, most=86_400)
    closes_s = Number(required=True, most=86_400)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if "opens_s" in form and "closes_s" in form and form["closes_s"] <= form["opens_s"]:
            raise ValidationError("order|应晚于 opens_s|expected later than opens_s", "closes_s")


class FeatureIn(Form):
    type = _says("Feature")
    geometry = Geometry(required=True)
    properties = Part(ZonePropertiesIn, required=True)


class FeatureCollectionIn(Form):
    """RFC 7946. It has no word for the datum: that stands beside it."""

    type = _says("FeatureCollection")
    features = Rows(Part(FeatureIn), least=1, most=MAX_ZONES, required=True)


class ZoneDraftIn(Form):
    """The datum of all outlines is named, never guessed: the wrong one is half a kilometre off."""

    name = Text(required=True, most=60)
    datum = Text(
        required=True,
        pattern="wgs84|cgcs2000|gcj02|bd09",
        expected=("wgs84、cgcs2000、gcj02 或 bd09", "wgs84, cgcs2000, gcj02 or bd09"),
    )
    collection = Part(FeatureCollectionIn, required=True)


class PublicationIn(Form):
    valid_from = Day(required=True)


class ZonePropertiesView(View):
    number = fields.Integer()
    name = fields.String()
    firm_id = Id()
    supply_site_id = Id()
    opens_s = fields.Integer()
    closes_s = fields.Integer()


class FeatureView(View):
    type = fields.String()
    geometry = fields.Dict()
    properties = fields.Nested(ZonePropertiesView)


class FeatureCollectionView(View):
    type = fields.String()
    features = fields.List(fields.Nested(FeatureView))


class ZoneDraftView(View):
    """``datum``: of the outlines as they stand here; ``drawn_on``: of those that were taken in."""

    id = Id()
    district = fields.Integer()
    name = fields.String()
    drawn_on = fields.String()
    datum = fields.String()
    collection = fields.Nested(FeatureCollectionView)
    drawn_by = Id()
    zone_set_id = Id(allow_none=True)
    recorded_at = Instant()


class PlaceView(View):
    lon = fields.Float()
    lat = fields.Float()
    datum = fields.String()


class OverlapView(View):
    number = fields.Integer()
    other = fields.Integer()
    overlap_m2 = fields.Integer()


class HoleView(View):
    area_m2 = fields.Integer()
    point = fields.Nested(PlaceView)


class ZoneHomesView(View):
    number = fields.Integer()
    name = fields.String()
    homes = fields.Integer()


class ZoneChecksView(View):
    """``gaps``: nobody's ground between zones; ``lost``: covered by the zones compared with, not by these.

    ``premises_outside``: the first hundred of those newly outside; where there are none, of all outside.
    ``zones_of_others``: the set replaced holds zones of firms that the caller does not act for.
    """

    draft_id = Id()
    compared_with = Id(allow_none=True)
    overlaps = fields.List(fields.Nested(OverlapView))
    gaps = fields.List(fields.Nested(HoleView))
    lost = fields.List(fields.Nested(HoleView))
    zones = fields.List(fields.Nested(ZoneHomesView))
    homes = fields.Integer()
    homes_outside = fields.Integer()
    homes_newly_outside = fields.Integer()
    premises_outside = fields.List(Id())
    zones_of_others = fields.Boolean()
    may_be_published = fields.Boolean()


# --- who stands in ----------------------------------------------------------------------------------------


class SubstitutionIn(Form):
    """``from_at``: now, where nothing is said. At least one of the three is another than the binding's."""

    courier_id = Id(load_default=None, allow_none=True)
    vehicle_id = Id(load_default=None, allow_none=True)
    device_id = Id(load_default=None, allow_none=True)
    reason = Word(SubstitutionReason, required=True)
    from_at = Instant(load_default=None, allow_none=True)
    until_at = Instant(required=True)


class SubstitutionsQuery(Form):
    at = Instant(load_default=None)


class SubstitutionView(View):
    """``resumed_id``: the binding that goes on afterwards; null where it would have ended."""

    id = Id()
    district = fields.Integer()
    firm_id = Id()
    binding_id = Id()
    stand_in_id = Id()
    resumed_id = Id(allow_none=True)
    reason = Word(SubstitutionReason)
    from_at = Instant()
    until_at = Instant()
    recorded_at = Instant()


class SubstitutionsView(View):
    items = fields.List(fields.Nested(SubstitutionView))

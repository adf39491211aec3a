"""A map beneath the dispatcher's own drawings, where one is configured; without it the drawings stand alone.

What is drawn is WGS-84. On a map of GCJ-02 every place lies half a kilometre off, so what is to lie on it is
moved to that datum here, before the page gets it. Only where zones are drawn does a click come back: that
page names the datum, and moves what was drawn to WGS-84 again (``zone_drawing``).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from markupsafe import escape

from core.config import Config
from core.geo import Datum, Point, from_wgs84


def on_tiles(drawing: Mapping[str, Any]) -> dict[str, Any]:
    """For a template: the drawing as the configured map wants it."""
    return laid_on(current_app.extensions["ground"].config, drawing)


def place_on_tiles(mark: Mapping[str, Any]) -> dict[str, Any]:
    """For a template: one mark with its ``lon`` and ``lat`` as the configured map wants them."""
    return placed_on(current_app.extensions["ground"].config, mark)


def placed_on(config: Config, mark: Mapping[str, Any]) -> dict[str, Any]:
    if config.map_tile_url is None:
        return {**mark}
    return {**mark, **_place(mark, Datum(config.map_tile_datum))}


def laid_on(config: Config, drawing: Mapping[str, Any]) -> dict[str, Any]:
    """``drawing``: zones with outlines, stops, lines of [lat, lon]."""
    if config.map_tile_url is None:
        return {**drawing, "tiles": None}
    datum = Datum(config.map_tile_datum)
    return {
        "zones": [zone | {"outline": _outline(zone["outline"], datum)} for zone in drawing["zones"]],
        "stops": [stop | _place(stop, datum) for stop in drawing["stops"]],
        "lines": [
            line | {"points": [_moved(lon, lat, datum)[::-1] for lat, lon in line["points"]]}
            for line in drawing["lines"]
        ],
        "tiles": {
            "urls": [url for url in (config.map_tile_url, config.map_label_url) if url],
            # Leaflet takes it for markup
            "attribution": str(escape(config.map_attribution)),
        },
    }


def origins(config: Config) -> str:
    """What a page may load images from, for its policy."""
    urls = [urlsplit(url) for url in (config.map_tile_url, config.map_label_url) if url]
    return "".join(f" {origin}" for origin in sorted({f"{url.scheme}://{url.netloc}" for url in urls}))


def _moved(lon: float, lat: float, datum: Datum) -> list[float]:
    return list(from_wgs84(Point(lon, lat), datum))


def _place(stop: Mapping[str, Any], datum: Datum) -> dict[str, float]:
    lon, lat = _moved(stop["lon"], stop["lat"], datum)
    return {"lon": lon, "lat": lat}


def _outline(geometry: Mapping[str, Any], datum: Datum) -> dict[str, Any]:
    def there(branch: Any) -> Any:
        if branch and isinstance(branch[0], int | float):
            return _moved(branch[0], branch[1], datum)
        return [there(twig) for twig in branch]

    return {**geometry, "coordinates": there(geometry["coordinates"])}

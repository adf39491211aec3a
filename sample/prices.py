"""Before the day is planned a firm asks what its fixed zones cost: nothing is planned or driven by it."""

from sample.client import Unexpected
from sample.firms import DEMO_DAY, SUPPLY_SITE
from sample.planning import ITERATIONS
from sample.scene import Scene
from sample.waiting import waited_for

FIRM = "changning_west"
"""The one with the most zones."""


def price_the_zones(scene: Scene) -> None:
    """Free crews do never worse than those in zones; how much better, no two runs need agree on."""
    who = f"dispatcher {FIRM}"
    body = {
        "supply_site_id": scene.world.sites[SUPPLY_SITE[FIRM]],
        "day": DEMO_DAY.isoformat(),
        "iterations": ITERATIONS,
    }
    job = scene.do_here(who, "zone-price-jobs", body, f"what the fixed zones of {FIRM} cost")
    done = waited_for(scene, who, f"zone-price-jobs/{job['id']}")
    price = scene.read_here(who, f"zone-prices/{done['zone_price_id']}")
    if price["free"]["objective"] > price["fixed"]["objective"] or len(price["zones"]) < 2:
        raise Unexpected(f"what fixed zones cost: expected free crews to do no worse, got {price}")
    scene.count("prices of fixed zones")

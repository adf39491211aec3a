"""At the offices: an account passes within a home by two persons; a street's plan to go over to piped gas."""

from typing import Any

from sample.cast import NEWCOMER
from sample.noes import Asking, registered
from sample.people import person
from sample.places import CHANGNING
from sample.scene import Scene

REGULATOR = f"regulator {CHANGNING}"


def pass_on_and_plan(scene: Scene) -> None:
    asking = Asking(scene)
    _passed_on(asking)
    _planned(asking)


def _passed_on(asking: Asking) -> None:
    """The registrant died: no account is opened, none changes hands; who asks does not approve."""
    scene, home = asking.scene, asking.scene.cast.passes_on
    clerk, user = f"clerk {home.firm}", scene.user(home)
    heir = registered(asking, clerk, person(4 * NEWCOMER + home.number), CHANGNING)
    body: dict[str, Any] = {
        "person_id": heir,
        "ground": "died",
        "kinship": "spouse",
        "evidence": "YLSW-0612",
        "membership": "YLHK-0612",
    }
    path = f"accounts/{user.account_id}/successions"
    asked = scene.do_here(clerk, path, body, "an heir of the home takes its account over")
    asking.no_here(clerk, path, body, "asked for again", ["succession.asked_already"])
    path = f"successions/{asked['id']}"
    says = "approved by who asked"
    asking.no_here(clerk, f"{path}/approvals", {}, says, ["succession.same_person"])
    scene.do_here(REGULATOR, f"{path}/approvals", {}, "the succession is approved by another")


def _planned(asking: Asking) -> None:
    """Begun, and not done while anybody there has an account."""
    scene, home = asking.scene, asking.scene.cast.passes_on
    plan = {
        "plan_no": "YLGZ-0612",
        "street_code": home.street_code,
        "target": "piped_gas",
        "starts_on": "2024-06-12",
        "due_on": "2024-12-31",
    }
    entered = scene.do_here(REGULATOR, "conversions", plan, "a street is to go over to piped gas")
    path = f"conversions/{entered['id']}"
    scene.do_here(REGULATOR, f"{path}/beginnings", {}, "the plan is begun")
    asking.no_here(REGULATOR, f"{path}/finishes", {}, "done too early", ["conversion.homes_left"])

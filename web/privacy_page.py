"""The privacy notice, for everybody: the version in force, and the ones before."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from core import clock
from registry.privacy_notice import in_force, notices

room = Blueprint("privacy", __name__)


@room.get("/privacy")
def notice() -> ResponseReturnValue:
    current = in_force(clock.today())
    earlier = [one for one in reversed(notices()) if one.effective < current.effective]
    return render_template("privacy.html", notice=current, earlier=earlier)

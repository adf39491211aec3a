"""Who lawfully supplies bottled gas today, for everybody: look before you buy."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

import rulebook
from core import clock
from core.http import ground
from registry.papers import lawful_suppliers

room = Blueprint("suppliers", __name__)


@room.get("/suppliers")
def suppliers() -> ResponseReturnValue:
    today = clock.today()
    with ground().reads() as db:
        found = lawful_suppliers(db, today)
    places = rulebook.current().places
    return render_template("suppliers.html", suppliers=found, today=today, places=places)

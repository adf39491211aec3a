"""``/api/docs``: the API's document as pages, drawn here, so that no request leaves the machine."""

from flask import Blueprint, current_app, render_template

from core.problems import NotFound
from web.api_document import Document

room = Blueprint("api_page", __name__)


@room.get("/api/docs")
def contents() -> str:
    """What holds for every route, and a list of all."""
    return render_template("api_contents.html", document=_document())


@room.get("/api/docs/<name>")
def read_room(name: str) -> str:
    """The routes of one room: verb, roles, form, answers, an example."""
    document = _document()
    found = next((one for one in document.rooms if one.name == name), None)
    if found is None:
        raise NotFound
    return render_template("api_room.html", document=document, room=found)


def _document() -> Document:
    """Made once a process; the routes of a running application do not change."""
    held: Document | None = current_app.extensions.get("api_document")
    if held is None:
        spec = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec
        held = current_app.extensions["api_document"] = Document(spec.to_dict())
    return held

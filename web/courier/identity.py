"""Whose document is shown at this door: looked at once more, beside the card."""

from uuid import UUID

from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.deliveries.identity import verify_at_door
from dispatch.deliveries.schemas import DoorIdentityIn
from registry.documents import DocumentKind
from web.courier.door import seen
from web.courier.face import drawn, face, typed
from web.office.said import DOCUMENTS
from web.pages import No, form_of, tried


@face.page("/orders/<uuid:order_id>/identity", "person.verify_at_door")
def document(order_id: UUID) -> ResponseReturnValue:
    return _page(order_id)


@face.page("/orders/<uuid:order_id>/identity", "person.verify_at_door", methods=("POST",))
def look_at_document(order_id: UUID) -> ResponseReturnValue:
    """The number is not shown again, whatever came of it."""
    body = {"kind": typed("kind", 40), "number": typed("number", 64), "valid_until": typed("valid_until", 20)}
    asked = {"document": {name: value for name, value in body.items() if value}}
    done, no = tried(lambda: verify_at_door(doing(), order_id=order_id, **form_of(DoorIdentityIn, asked)))
    return _page(order_id, no, bool(done and done["matched"]) if done else None)


def _page(order_id: UUID, no: No | None = None, matched: bool | None = None) -> ResponseReturnValue:
    return drawn(
        "identity",
        no,
        **seen(order_id),
        kinds=[(kind.value, DOCUMENTS[kind.value]) for kind in DocumentKind],
        chosen=typed("kind", 40) or DocumentKind.RESIDENT_ID.value,
        matched=matched,
    )

"""To whom a late scan belongs: the binding of its device when it happened, never the one of now."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from registry.crew_queries import bindings_of_device
from registry.device_clock import Clocked
from registry.models import Binding, Device

NO_BINDING = "no_binding"
BINDING_UNCERTAIN = "binding_uncertain"
DEVICE_REVOKED = "device_revoked"


@dataclass(frozen=True, slots=True)
class Attribution:
    """``binding`` at the moment told; ``certain``: no other moment within the uncertainty says otherwise."""

    binding: Binding | None
    certain: bool
    flags: tuple[str, ...]

    @property
    def courier_id(self) -> UUID | None:
        return self.binding.courier_id if self.binding is not None else None


def attributed(db: Session, device: Device, when: Clocked) -> Attribution:
    """Where the uncertainty straddles a change of binding, the stricter holds: as if there were none."""
    near = bindings_of_device(db, device.district, device.id, when.earliest, when.latest)
    at = next((one for one in near if when.occurred_at in one.span), None)
    certain = at is None or (when.earliest in at.span and when.latest in at.span)
    flags: tuple[str, ...] = () if at is not None else (NO_BINDING,)
    if not certain or (at is None and near):
        flags += (BINDING_UNCERTAIN,)
    if device.revoked_at is not None and device.revoked_at <= when.latest:
        flags += (DEVICE_REVOKED,)
    return Attribution(at, certain, flags)

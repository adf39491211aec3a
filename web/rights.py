"""Which role has which verb: the one table. Scope is judged row by row by the services and queries."""

from core.auth import Role

READ_TRACE = {"trace.read", "order.read", "household.read", "cylinder.read"}

RIGHTS: dict[Role, frozenset[str]] = {
    Role.RESIDENT: frozenset(
        {
            "home.read",
            "slot.read",
            "order.book",
            "order.cancel",
            "order.read",
            "order.confirm",
            "door_code.read",
            "check.read",
            "hazard.read",
            "hazard.claim_mended",
            "notice.receive",
        }
    ),
    Role.COURIER: frozenset(
        {
            "cylinder.ask",
            "cylinder.load",
            "cylinder.bring_back",
            "round.read",
            "round.drive",
            "order.deliver",
            "order.fail",
            "door_code.issue",
            "check.record",
            "device.enrol_key",
            "scan.report",
            "check.read",
            "notice.receive",
        }
    ),
    Role.FILLER: frozenset(
        {
            "cylinder.ask",
            "cylinder.fill",
            "cylinder.receive",
            "cylinder.read",
            "stock.count",
            "stock.explain",
            "stock.read",
        }
    ),
    Role.CLERK: frozenset(
        {
            "staff.register",
            "vehicle.register",
            "device.enrol",
            "device.revoke",
            "scan.report",
            "person.register",
            "person.verify",
            "person.reveal",
            "premises.register",
            "account.open",
            "account.transfer",
            "account.suspend",
            "account.import",
            "card.issue",
            "card.replace",
            "card.block",
            "contract.sign",
            "cylinder.register",
            "cylinder.import",
            "cylinder.receive",
            "cylinder.report_lost",
            "cylinder.load",
            "cylinder.bring_back",
            "custody.read",
            "cylinder.ask",
            "stock.count",
            "stock.explain",
            "stock.read",
            "zone.read",
            "slot.read",
            "order.book",
            "order.cancel",
            "check.read",
            "hazard.read",
            "hazard.tell",
            "hazard.claim_mended",
            "notice.receive",
            *READ_TRACE,
        }
    ),
    Role.DISPATCHER: frozenset(
        {
            "zone.publish",
            "zone.read",
            "binding.bind",
            "binding.end",
            "device.revoke",
            "slot.open",
            "slot.close",
            "slot.read",
            "order.book",
            "order.cancel",
            "order.read",
            "plan.make",
            "plan.read",
            "plan.apply",
            "round.read",
            "order.approve_outside_zone",
            "order.fail",
            "cylinder.resolve_conflict",
            "cylinder.declare_error",
            "custody.read",
            "cylinder.ask",
            "check.read",
            "hazard.read",
            "board.read",
            "alarm.acknowledge",
        }
    ),
    Role.REGULATOR: frozenset(
        {
            "cylinder.ask",
            "cylinder.hold",
            "cylinder.release",
            "cylinder.resolve_conflict",
            "cylinder.declare_error",
            "custody.read",
            "hazard.read",
            "hazard.close",
            "check.record",
            "check.read",
            "notice.receive",
            "person.reveal",
            "refusal.read",
            "stock.read",
            "tip.read",
            "plan.read",
            "round.read",
            "zone.read",
            *READ_TRACE,
        }
    ),
    Role.AGENCY: frozenset({"cylinder.ask", "cylinder.inspect", "cylinder.scrap", "cylinder.read"}),
    Role.ADMINISTRATOR: frozenset(
        {"firm.register", "site.register", "grant.give", "grant.end", "password.set", "cylinder_type.enter"}
    ),
}

STAFF = frozenset(Role) - {Role.RESIDENT}
RIGHTS |= {role: RIGHTS[role] | {"password.change"} for role in STAFF}

"""Which role has which verb: the one table. Scope is judged row by row by the services and queries."""

from core.auth import Role

READ_TRACE = {"trace.read", "order.read", "household.read", "cylinder.read"}

RIGHTS: dict[Role, frozenset[str]] = {
    Role.RESIDENT: frozenset(
        {
            "home.read",
            "own_data.read",
            "own_data.copy",
            "own_data.ask",
            "own_data.withdraw",
            "slot.read",
            "order.book",
            "order.cancel",
            "order.change_slot",
            "order.read",
            "order.confirm",
            "door_code.read",
            "check.read",
            "hazard.read",
            "hazard.claim_mended",
            "notice.receive",
            "own_refusal.read",
            "review.ask",
            "review.read",
            "review.receive",
            "review.withdraw",
        }
    ),
    Role.COURIER: frozenset(
        {
            "cylinder.report_sighting",
            "banned_use.report",
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
            "agency.read",
            "cylinder.report_sighting",
            "cylinder.report_unfit",
            "cylinder.send_to_inspection",
            "cylinder_type.read",
            "due.read",
            "cylinder.ask",
            "cylinder.authorise_fill",
            "cylinder.fill",
            "cylinder.measure_residue",
            "filling.read",
            "gas_batch.register",
            "gas_batch.use",
            "cylinder.receive",
            "cylinder.read",
            "stock.count",
            "stock.explain",
            "stock.read",
        }
    ),
    Role.CLERK: frozenset(
        {
            "agency.read",
            "area.read",
            "banned_use.report",
            "deposit.enter",
            "deposit.read",
            "cylinder.report_sighting",
            "cylinder.report_unfit",
            "cylinder.send_to_inspection",
            "cylinder_type.enter",
            "cylinder_type.read",
            "due.read",
            "out_of_use.read",
            "recall.finish",
            "recall.look_again",
            "recall.open",
            "recall.read",
            "recall.settle",
            "recall.tell",
            "registration.cancel",
            "registration.change",
            "staff.register",
            "vehicle.register",
            "device.enrol",
            "device.revoke",
            "scan.report",
            "person.register",
            "person.verify",
            "person.reveal",
            "own_data.ask",
            "own_data.decide",
            "premises.register",
            "account.close",
            "account.open",
            "account.transfer",
            "account.suspend",
            "account.import",
            "card.issue",
            "card.replace",
            "card.block",
            "contract.sign",
            "cylinder.complete_file",
            "cylinder.register",
            "cylinder.import",
            "cylinder.export",
            "cylinder.measure_residue",
            "cylinder.receive",
            "filling.read",
            "gas_batch.register",
            "gas_batch.use",
            "scale.register",
            "cylinder.report_lost",
            "identifier.attach",
            "identifier.void",
            "label.issue",
            "label.read",
            "label.replace",
            "label.void",
            "cylinder.load",
            "cylinder.bring_back",
            "custody.read",
            "cylinder.ask",
            "stock.count",
            "stock.explain",
            "stock.read",
            "office.read",
            "zone.read",
            "slot.read",
            "order.book",
            "order.cancel",
            "order.change_slot",
            "check.read",
            "hazard.read",
            "hazard.tell",
            "hazard.claim_mended",
            "notice.receive",
            "refusal.count",
            "review.answer",
            "review.ask",
            "review.read",
            "review.receive",
            *READ_TRACE,
        }
    ),
    Role.DISPATCHER: frozenset(
        {
            "area.read",
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
            "order.change_slot",
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
            "agency.read",
            "anomaly.read",
            "area.declare",
            "area.read",
            "account.review",
            "banned_use.report",
            "banned_use.settle",
            "deposit.read",
            "cylinder.report_sighting",
            "cylinder.report_unfit",
            "cylinder.seize",
            "cylinder_type.read",
            "due.read",
            "out_of_use.read",
            "recall.finish",
            "recall.look_again",
            "recall.open",
            "recall.read",
            "recall.settle",
            "recall.tell",
            "registration.cancel",
            "sighting.read",
            "cylinder.ask",
            "cylinder.hold",
            "cylinder.release",
            "filling.read",
            "filling.release",
            "filling.stop",
            "cylinder.resolve_conflict",
            "cylinder.declare_error",
            "collision.read",
            "identifier.resolve",
            "label.read",
            "custody.read",
            "hazard.read",
            "hazard.close",
            "check.record",
            "check.read",
            "notice.receive",
            "person.reveal",
            "refusal.count",
            "refusal.read",
            "review.answer",
            "review.read",
            "review.receive",
            "stock.read",
            "tip.read",
            "plan.read",
            "round.read",
            "zone.read",
            *READ_TRACE,
        }
    ),
    Role.AGENCY: frozenset(
        {
            "cylinder.arrive_at_agency",
            "cylinder.ask",
            "cylinder.extend",
            "cylinder.inspect",
            "cylinder.read",
            "cylinder.report_unfit",
            "cylinder.scrap",
            "out_of_use.read",
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            "agency.read",
            "agency.register",
            "cylinder_type.enter",
            "cylinder_type.read",
            "firm.register",
            "grant.end",
            "grant.give",
            "password.set",
            "second_factor.reset",
            "session.end",
            "site.register",
        }
    ),
}

STAFF = frozenset(Role) - {Role.RESIDENT}
OF_STAFF = {"password.change", "second_factor.enrol", "presence.confirm"}
RIGHTS |= {role: RIGHTS[role] | OF_STAFF for role in STAFF}
OF_ALL = {"session.own", "privacy_notice.read", "supplier.read"}
RIGHTS |= {role: RIGHTS[role] | OF_ALL for role in Role}
WHO_KEEPS_FILES = (Role.CLERK, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"household.file"} for role in WHO_KEEPS_FILES}
WHO_NAME_PROXIES = (Role.RESIDENT, Role.CLERK)
RIGHTS |= {role: RIGHTS[role] | {"proxy.name", "proxy.end", "proxy.read"} for role in WHO_NAME_PROXIES}
RIGHTS |= {Role.RESIDENT: RIGHTS[Role.RESIDENT] | {"proxy.answer"}}
RIGHTS[Role.REGULATOR] |= {"clear_out.read", "conversion.read", "conversion.settle"}
WHO_PASSES_ACCOUNTS_ON = (Role.CLERK, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"succession.decide", "succession.read"} for role in WHO_PASSES_ACCOUNTS_ON}
RIGHTS[Role.CLERK] |= {"succession.ask"}
WHO_LOOKS_AT_HOSES = (Role.CLERK, Role.COURIER, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"equipment.enter", "equipment.read"} for role in WHO_LOOKS_AT_HOSES}
WHO_KNOWS_WHO_LETS = (Role.CLERK, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"letting.read"} for role in WHO_KNOWS_WHO_LETS}
RIGHTS[Role.CLERK] |= {"letting.enter", "letting.end"}
WHO_LOOKS_AFTER = (Role.CLERK, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"vulnerability.enter", "vulnerability.read"} for role in WHO_LOOKS_AFTER}
OVER_PAPERS = (Role.CLERK, Role.DISPATCHER, Role.REGULATOR, Role.ADMINISTRATOR)
RIGHTS |= {role: RIGHTS[role] | {"paper.read"} for role in OVER_PAPERS}
OVER_CREWS = (Role.CLERK, Role.DISPATCHER, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"binding.read"} for role in OVER_CREWS}
RIGHTS |= {role: RIGHTS[role] | {"roster.read"} for role in OVER_CREWS}
WHO_KNOWS_WHO_IS_AWAY = (Role.CLERK, Role.DISPATCHER)
RIGHTS |= {role: RIGHTS[role] | {"absence.enter"} for role in WHO_KNOWS_WHO_IS_AWAY}
RIGHTS |= {Role.DISPATCHER: RIGHTS[Role.DISPATCHER] | {"roster.propose", "roster.change", "roster.confirm"}}
RIGHTS |= {Role.COURIER: RIGHTS[Role.COURIER] | {"position.report"}}
RIGHTS |= {Role.DISPATCHER: RIGHTS[Role.DISPATCHER] | {"position.read"}}
RIGHTS |= {Role.REGULATOR: RIGHTS[Role.REGULATOR] | {"position.replay"}}
RIGHTS[Role.REGULATOR] |= {"division.enter"}
WHO_READS_DIVISIONS = (Role.CLERK, Role.DISPATCHER, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"division.read"} for role in WHO_READS_DIVISIONS}
WHO_WEIGHS_ZONES = (Role.DISPATCHER, Role.REGULATOR)
RIGHTS |= {role: RIGHTS[role] | {"zone_price.ask", "zone_price.read"} for role in WHO_WEIGHS_ZONES}
RIGHTS[Role.COURIER] |= {"person.verify_at_door"}
RIGHTS[Role.CLERK] |= {"refusal_notice.issue"}
WHO_HANDS_REFUSALS_OVER = (Role.CLERK, Role.REGULATOR, Role.RESIDENT)
RIGHTS |= {
    role: RIGHTS[role] | {"refusal_notice.read", "refusal_notice.receive"} for role in WHO_HANDS_REFUSALS_OVER
}

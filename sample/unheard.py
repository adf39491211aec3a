"""Refusals of the catalogue that nobody hears in the sample's day, and why. The report tells them."""

from collections.abc import Collection
from typing import NamedTuple

from core.refusal import CATALOGUE


class Why(NamedTuple):
    zh: str
    en: str


RACE = Why("只有与人同时办理而落后的才听得到", "only who loses a race with another hears it")
FORM = Why("表单或系统先挡住，轮不到这条", "a form, or an earlier fence, stops it first")
ELSEWHERE = Why("本地当天没有这条规定", "no rule of the place asks it on that day")
AT_THE_DOOR = Why("订气时不问，上门安检查；查出即停供，不算拒绝", "looked at at the door, where it withholds")
PAPERS = Why("样例的企业、人员、车辆证照齐全", "the sample's firms, crews and vehicles have their papers")
LATE = Why("过了时限才办的才听得到", "only who comes too late hears it")
RECORDED = Why("查到的作为事实记下，不是拒绝", "found and recorded as a fact, which is no refusal")
OURS = Why("程序或规则库出错才有", "only a fault of ours, or of the rulebook, brings it about")
TOLD = Why("不是拒绝：柜台的库存页据此提示", "refuses nothing: the office's stock page tells of it")
BY_REQUEST = Why(
    "样例的台账按请求导入，不用文件", "the sample brings its registers in requests, not as files"
)
NOBODY = Why("样例当天没有人走到这一步", "nobody comes to that on the sample day")

_BY_REASON: dict[Why, str] = {
    RACE: """
        state.changed_meanwhile delivery.line_done person.just_registered premises.address_taken
        household.stands holding.card_holds_another holding.bottle_on_another_card
        plan.order_on_another_round plan.already_applied plan.crew_busy alarm.acknowledged_already
        custody.not_on_card custody.not_with_giver custody.not_full custody.held
        cylinder.fact_on_file roster.confirmed_already letting.changed_meanwhile""",
    FORM: """
        account.missing card.missing card.quota_full booking.quantity_missing
        booking.stored_weight_unknown identity.not_verified
        booking.quota_unknown booking.too_many_at_once
        account.registrant_not_verified proxy.not_verified refill.label_claimed_twice import.row_wrong""",
    ELSEWHERE: """
        booking.too_soon account.registrant_too_young premises.conversion_unknown
        premises.piped_gas_unknown premises.lift_unknown contactless.not_allowed""",
    AT_THE_DOOR: """
        premises.height_unknown premises.floor_unknown premises.garage_unknown
        premises.bottle_place_unknown premises.leak_alarm_unknown
        handover.blocking_finding handover.check_refused hazard.not_rechecked_on_site""",
    PAPERS: """
        refill.no_gas_licence courier.no_certificate
        courier.not_trained refill.filler_not_trained binding.training_not_in_force
        vehicle.no_permit vehicle.limits_unknown contract.second_supplier roster.firm_unlicensed""",
    LATE: """
        filling.authorisation_expired review.too_late proxy.lapsed proxy.consent_over plan.slot_over""",
    RECORDED: """
        filling.overfilled filling.check_failed filling.look_failed filling.residue_not_extracted
        filling.tare_drifted""",
    OURS: "plan.checker_refused rule.no_value",
    TOLD: "stock.over_cap",
    BY_REQUEST: "import.rows_wrong import.file_imported",
    NOBODY: """
        refusal.overturned
        second_factor.stands reveal.quota_spent person.processing_stopped person.has_open_account
        person.has_undecided
        privacy_request.decided closing.line_open closing.bottle_held account.closed household.closed
        review.rule_not_exceptable review.exception_not_yours equipment.ended vulnerability.ended
        letting.ended
        proxy.too_many proxy.may_not_receive
        booking.over_class_weight
        succession.of_business succession.ground_not_named succession.account_closed succession.holder_changed
        succession.successor_erased
        succession.order_open conversion.of_nobody conversion.number_taken
        division.code_taken division.ended division.has_parts
        zone.draft_published zoning.no_zones zoning.nothing_to_weigh zoning.of_another_firm
        zone_price.one_zone zone_price.nothing_booked zone_price.no_crew zone_price.too_many
        binding.does_not_cover round.false_vehicle_code roster.not_bound roster.bound_for_part
        roster.courier_away roster.vehicle_away roster.nobody roster.no_zones roster.crew_gone
        roster.rounds_left""",
}
WHY: dict[str, Why] = {code: why for why, codes in _BY_REASON.items() for code in codes.split()}


def unheard(heard: Collection[str]) -> dict[Why | None, list[str]]:
    """The catalogue's codes that were not heard, by why; None: nobody tried."""
    found: dict[Why | None, list[str]] = {}
    for code in sorted(CATALOGUE):
        if code not in heard:
            found.setdefault(WHY.get(code), []).append(code)
    return found

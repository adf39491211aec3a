"""The text of a rectification notice (整改通知书), as data for a page to print: no personal data in it.

It says what was found, on what ground, until when it must be mended, what happens meanwhile, and who signs.
The law is that of the place on the day of finding.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.refusal import Basis
from dispatch.safety.catalogue import ITEMS, Item, item_basis, limits
from dispatch.safety.models import CheckItem, Hazard, Notice, NoticeReceipt
from rulebook import current


@dataclass(frozen=True, slots=True)
class Words:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Printed:
    """``measured`` in the item's unit, with the limits of that day; name and address are written by hand."""

    notice: Notice
    hazard: Hazard
    item: Item
    measured: int | None
    least: int | None
    most: int | None
    found_on: date
    basis: Basis | None
    firm_id: UUID | None
    demand: Words
    consequence: Words
    way_out: Words
    receipts: list[NoticeReceipt]


def printed(
    db: Session, notice: Notice, hazard: Hazard, firm_id: UUID | None, receipts: list[NoticeReceipt]
) -> Printed:
    law = current().at(str(hazard.district), clock.day_of(hazard.found_at))
    least, most = limits(law, hazard.item)
    answer = db.get(CheckItem, (hazard.district, hazard.check_id, hazard.item)) if hazard.check_id else None
    return Printed(
        notice=notice,
        hazard=hazard,
        item=ITEMS[hazard.item],
        measured=answer.measured if answer is not None else None,
        least=least,
        most=most,
        found_on=law.day,
        basis=item_basis(law, hazard.item),
        firm_id=firm_id,
        demand=_demand(hazard, law.day),
        consequence=SUPPLY_STOPS if hazard.blocking else SUPPLY_GOES_ON,
        way_out=WAY_OUT,
        receipts=receipts,
    )


def _demand(hazard: Hazard, found_on: date) -> Words:
    until = hazard.deadline_on
    if until is None or until <= found_on:
        return Words("请立即整改（即查即改）。", "To be mended at once.")
    return Words(f"请于{until:%Y年%-m月%-d日}前整改。", f"To be mended by {until.isoformat()}.")


SUPPLY_STOPS = Words(
    "在复查合格并销号之前，停止供应瓶装液化石油气，预约将不予受理。",
    "No gas is supplied, and no booking is taken, until a re-check has passed and the hazard is closed.",
)
SUPPLY_GOES_ON = Words(
    "暂不停气；逾期未整改的，列入逾期隐患清单，由监管部门督促。",
    "Supply goes on; past the deadline the hazard is listed as overdue for the regulator.",
)
WAY_OUT = Words(
    "整改后请告知供气企业，由发现人以外的检查人员到场复查；复查合格后销号、恢复供气。"
    "对本通知有异议的，可向供气企业或燃气管理部门申请复核。",
    "When it is mended, tell the supplying firm: another person than who found it comes to check again. "
    "Whoever disagrees may ask the firm or the gas authority to review this notice.",
)

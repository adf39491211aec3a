"""Every "no" about firms, their licences, and the agencies that inspect. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import LOOK_IT_UP

USCC_TAKEN = reason(
    "firm.uscc_taken",
    "S03",
    zh="这个统一社会信用代码已登记",
    en="a firm with this credit code is registered",
    office=LOOK_IT_UP,
)
LICENCE_TAKEN = reason(
    "licence.number_taken",
    "S03",
    zh="同类许可中已有这个证号",
    en="a licence of this kind with this number is registered",
    office=("check_number", "核对许可证号", "check the number against the paper"),
)

AGENCY_TAKEN = reason(
    "agency.approval_taken",
    "S03",
    zh="这家检验机构或这个核准证号已登记",
    en="this agency, or an agency with this approval, is registered",
    office=LOOK_IT_UP,
)

held_by("uq_inspection_agency_approval_no", AGENCY_TAKEN)
held_by("uq_firm_uscc", USCC_TAKEN)
held_by("uq_licence_kind_number", LICENCE_TAKEN)

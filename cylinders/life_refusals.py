"""Every "no" about an agency's acts, unfit reports, registration for use, sending and seizure.

A code, once published, keeps its meaning for ever.
"""

from core.refusal import reason
from evidence.deed import held_by

REPORT_TAKEN = reason(
    "inspection.report_taken",
    "S03",
    zh="这只瓶已有同号检验报告",
    en="this bottle has an inspection under that report number",
    office=("check_report", "核对报告编号", "check the report number"),
)

AGENCY_NOT_APPROVED = reason(
    "agency.not_approved",
    "I01",
    zh="这家检验机构不在册，或当日没有在有效期内的核准证",
    en="this agency is not on the register, or had no approval in force on that day",
    office=("register_agency", "核对核准证后登记机构", "check its approval and register the agency"),
)
SCRAP_ONLY = reason(
    "inspection.scrap_only",
    "F07",
    zh="查扣的气瓶只能报废，不得检验合格或延期",
    en="a seized bottle can only be scrapped: it may be neither passed nor extended",
    office=("scrap", "办理报废", "scrap it"),
)
BEYOND_MAX_LIFE = reason(
    "extension.beyond_max_life",
    "F06",
    zh="延期至{until_on}，超过最高使用年限（至{ends_on}）",
    en="extended until {until_on}, beyond the longest life the rules allow (until {ends_on})",
    office=("shorten_or_scrap", "缩短延期或报废", "shorten the extension, or scrap it"),
)
EXTENSION_NOT_INSPECTED = reason(
    "extension.not_inspected",
    "F06",
    zh="以检验为依据的延期，没有本机构该编号的合格检验报告",
    en="the extension rests on an inspection, and no passed report of this agency and number is on file",
    office=("file_report_first", "先录入合格检验报告，再办延期", "file the passed report first, then extend"),
)
LIFE_NOT_ON_FILE = reason(
    "extension.life_unknown",
    "F06",
    zh="档案缺制造日期或制造标准，算不出最高使用年限",
    en="the file lacks manufacture or standard, from which the longest life is reckoned",
    office=("complete_file", "按钢印补全制造信息", "complete the file from its stamps"),
)
NOT_SENT_HERE = reason(
    "agency.not_sent_here",
    "S04",
    zh="这只瓶没有送到本机构的记录",
    en="there is no record that this bottle was sent to this agency",
    office=("ask_sender", "请送检单位先登记送检", "have whoever sends it record that first"),
)
SENT_ALREADY = reason(
    "inspection.sent_already",
    "S03",
    zh="这只瓶已送检，还没有结果",
    en="the bottle has been sent to inspection and its result is not in",
    office=("await_result", "等检验结果", "wait for its result"),
)
EXTENSION_REPORT_TAKEN = reason(
    "extension.report_taken",
    "S03",
    zh="这只瓶已有同号延期报告",
    en="this bottle has an extension under that report number",
    office=("check_report", "核对报告编号", "check the report number"),
)
EXTENSION_REGISTERED = reason(
    "registration.changed_already",
    "S03",
    zh="这次延期已办过登记变更",
    en="the registration has been changed for this extension",
    office=("refresh", "刷新后再试", "reload and try again"),
)
CANCELLED_ALREADY = reason(
    "registration.cancelled_already",
    "S03",
    zh="使用登记已经注销",
    en="the registration has been cancelled already",
    office=("refresh", "刷新后再试", "reload and try again"),
)
SEIZED_ALREADY = reason(
    "seizure.seized_already",
    "S03",
    zh="这只瓶已被查扣",
    en="this bottle has been seized already",
    office=("refresh", "刷新后再试", "reload and try again"),
)
REPORTED_ALREADY = reason(
    "unfit.reported_already",
    "S03",
    zh="这只瓶已按这个编号上报过",
    en="this bottle has been reported for that under this reference",
    office=("refresh", "刷新后再试", "reload and try again"),
)

BY_CONSTRAINT = {
    "uq_inspection_sending_open": SENT_ALREADY,
    "uq_life_extension_cylinder_id_agency_id_report_no": EXTENSION_REPORT_TAKEN,
    "uq_registration_act_extension": EXTENSION_REGISTERED,
    "uq_registration_act_cancelled": CANCELLED_ALREADY,
    "pk_seizure": SEIZED_ALREADY,
    "uq_unfit_report_cylinder_id_why_reference": REPORTED_ALREADY,
    "uq_inspection_cylinder_id_agency_report_no": REPORT_TAKEN,
}
"""Which "no" it is when the database refuses under that name."""

for _constraint, _reason in BY_CONSTRAINT.items():
    held_by(_constraint, _reason)

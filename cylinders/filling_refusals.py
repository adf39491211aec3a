"""Every "no" at the gun: the gas, the look, the residue, the scale, the act itself, and who may stop it."""

from core.refusal import reason
from evidence.deed import held_by

STOP_AND_CALL = ("stop_filling", "停止充装，联系公司", "stop filling and call the firm")
PUT_ANOTHER_IN_USE = (
    "use_another_batch",
    "停止充装，换用检验合格的气源",
    "stop filling; put another, tested batch in use",
)

# F11: the gas
NO_BATCH_IN_USE = reason(
    "filling.no_batch_in_use",
    "F11",
    zh="本站没有登记正在使用的气源批次",
    en="no gas batch is on record as in use at this station",
    station=(
        "use_batch",
        "登记气源批次和检验结果，启用后再充",
        "enter the batch and its test, and put it in use",
    ),
    office=("use_batch", "登记并启用气源批次", "enter a gas batch and put it in use"),
)
BATCH_NOT_IN_USE = reason(
    "filling.batch_not_in_use",
    "F11",
    zh="指明的气源批次不在使用中",
    en="the gas batch named is not the one in use",
    station=(
        "choose_batch",
        "选正在使用的批次，或先启用这一批",
        "choose the batch in use, or put this one in use",
    ),
    office=("use_batch", "核对正在使用的气源批次", "check which batch is in use"),
)
WRONG_PRODUCT = reason(
    "filling.wrong_product",
    "F11",
    zh="气源是{product}，不得充入液化石油气瓶",
    en="the gas is {product}, which may not go into LPG cylinders",
    station=PUT_ANOTHER_IN_USE,
    office=(
        "trace_gas",
        "封存这批气，追查来源并上报",
        "seal this batch; trace where it came from and report it",
    ),
)
BATCH_NOT_CERTIFIED = reason(
    "filling.batch_not_certified",
    "F11",
    zh="这批气没有质量合格证明",
    en="this gas batch has no quality certificate",
    station=PUT_ANOTHER_IN_USE,
    office=(
        "get_certificate",
        "向供气方索取合格证明后重新登记",
        "get its certificate from the supplier and enter it",
    ),
)
BATCH_NOT_TESTED = reason(
    "filling.batch_not_tested",
    "F11",
    zh="这批气没有加臭和二甲醚的检验结果",
    en="nobody has tested this gas batch for odorant and dimethyl ether",
    station=("test_batch", "停止充装，送检并登记结果", "stop filling; have it tested and enter the result"),
    office=("test_batch", "安排送检并登记结果", "have it tested and enter the result"),
)
NO_ODORANT = reason(
    "filling.no_odorant",
    "F11",
    zh="这批气没有加臭，漏气闻不出来",
    en="this gas batch has no odorant: nobody would smell a leak",
    station=PUT_ANOTHER_IN_USE,
    office=("return_gas", "退回供气方加臭", "return it to the supplier to be odorised"),
)
DME_FOUND = reason(
    "filling.dme_found",
    "F11",
    zh="这批气检出二甲醚，不得充装",
    en="dimethyl ether was found in this gas batch: it may not be filled",
    station=PUT_ANOTHER_IN_USE,
    office=("report_gas", "封存这批气并上报监管部门", "seal this batch and report it to the authority"),
)

# F13: the look
CHECK_MISSING = reason(
    "filling.check_missing",
    "F13",
    zh="充前还有没查的：{items}",
    en="before the filling nobody has looked at: {items}",
    station=("check_all", "逐项查完再充", "look at each item, then fill"),
    office=("check_all", "逐项查完再充", "look at each item, then fill"),
)
LOOK_FAILED = reason(
    "filling.look_failed",
    "F13",
    zh="充前检查不合格：{items}",
    en="found wrong before the filling: {items}",
    station=(
        "set_aside",
        "不得充装，隔离后送检或修好再查",
        "do not fill; set it aside for inspection or repair",
    ),
    office=("send_to_inspection", "安排送检", "send it to inspection"),
)

# F14: the residue
RESIDUE_NOT_EXTRACTED = reason(
    "filling.residue_not_extracted",
    "F14",
    zh="瓶内残液{residue_g}克，超过{limit_g}克，没有倒残",
    en="{residue_g} g of residue is in the bottle, more than {limit_g} g, and was not drawn off",
    station=("extract", "先倒残回收并登记，再重新刷码充装", "draw it off, record that, then ask again"),
    office=("extract", "安排倒残回收", "have the residue drawn off"),
)

# F17: at the scale
CHECK_FAILED = reason(
    "filling.check_failed",
    "F17",
    zh="充装前后检查有不合格项：{items}",
    en="a check before or after the filling failed: {items}",
    station=("empty_and_inspect", "抽空隔离，送检", "empty it, set it aside and send it to inspection"),
    office=("send_to_inspection", "安排送检", "send it to inspection"),
)
NOTHING_FILLED = reason(
    "filling.nothing_filled",
    "F17",
    zh="净充装量{net_g}克，称重不合理",
    en="the weights give a filling of {net_g} g, which cannot be",
    station=("weigh_again", "重新称重", "weigh it again"),
    office=("check_scale", "检查秤和皮重", "check the scale and the tare"),
)
OVERFILLED = reason(
    "filling.overfilled",
    "F17",
    zh="瓶内{content_g}克，超过允许的{limit_g}克：过量充装",
    en="the bottle holds {content_g} g, more than the {limit_g} g allowed: overfilled",
    station=(
        "empty_it",
        "抽出超量部分后重新称重，不得出站",
        "draw off the excess and weigh again; it may not leave",
    ),
    office=("stop_scale", "核查秤和充装枪", "have scale and filling gun checked"),
)
TARE_UNKNOWN = reason(
    "filling.tare_unknown",
    "F17",
    zh="档案没有钢印皮重，无法核对称重",
    en="the file has no stamped tare to check the weights against",
    station=("send_to_inspection", "隔离后送检，核定皮重", "set it aside; have its tare established"),
    office=("complete_file", "按钢印补录皮重", "enter the tare from its stamp"),
)

AFTER_CHECK_MISSING = reason(
    "filling.after_check_missing",
    "F17",
    zh="充后还有没查的：{items}",
    en="after the filling nobody has looked at: {items}",
    station=("check_all", "逐项查完再记", "look at each item, then record it"),
    office=("check_all", "逐项查完再记", "look at each item, then record it"),
)
TARE_DRIFTED = reason(
    "filling.tare_drifted",
    "F17",
    zh="实称皮重与钢印差{off_g}克，超过{limit_g}克",
    en="the empty shell is {off_g} g off its stamped tare; {limit_g} g are allowed",
    station=(
        "weigh_empty",
        "确认瓶内已空、秤已归零再称；还不对就送检",
        "make sure it is empty and the scale is zero; if it stays so, send it to inspection",
    ),
    office=("send_to_inspection", "安排送检核定皮重", "have its tare established by inspection"),
)

# F18: the scale, and stops by the authority
STATION_STOPPED = reason(
    "filling.station_stopped",
    "F18",
    zh="监管部门已责令本站停止充装",
    en="the authority has stopped filling at this station",
    station=STOP_AND_CALL,
    office=("mend_and_ask", "按通知整改，申请解除", "mend what the order names and ask for its release"),
)
SCALE_UNKNOWN = reason(
    "filling.scale_unknown",
    "F18",
    zh="本站没有登记这台秤",
    en="there is no such scale on record at this station",
    station=("choose_scale", "核对秤号，换用登记过的秤", "check its number; use a scale that is on record"),
    office=("register_scale", "登记这台秤和检定证书", "enter the scale and its verification"),
)
SCALE_STOPPED = reason(
    "filling.scale_stopped",
    "F18",
    zh="监管部门已停用这台秤",
    en="the authority has stopped this scale",
    station=("choose_scale", "换一台秤充装", "fill over another scale"),
    office=("mend_and_ask", "按通知整改，申请解除", "mend what the order names and ask for its release"),
)
SCALE_NOT_VERIFIED = reason(
    "filling.scale_not_verified",
    "F18",
    zh="这台秤没有检定记录",
    en="this scale has no verification on record",
    station=("choose_scale", "换一台检定过的秤", "use a scale that is verified"),
    office=("verify_scale", "送检定后登记证书", "have it verified and enter the certificate"),
)
SCALE_VERIFICATION_EXPIRED = reason(
    "filling.scale_verification_expired",
    "F18",
    zh="这台秤的检定已于{until}到期",
    en="this scale's verification ended on {until}",
    station=("choose_scale", "换一台检定过的秤", "use a scale that is verified"),
    office=("verify_scale", "送检定后登记证书", "have it verified and enter the certificate"),
)
OTHER_SCALE = reason(
    "filling.other_scale",
    "F18",
    zh="授权的不是这台秤",
    en="the authorisation is for another scale",
    station=("authorised_scale", "放回授权的那台秤上称", "weigh it on the scale that was authorised"),
    office=("authorised_scale", "放回授权的那台秤上称", "weigh it on the scale that was authorised"),
)

# F19: one authorisation, once, in time
AUTHORISED_ALREADY = reason(
    "filling.authorised_already",
    "F19",
    zh="这只瓶正在充装，授权到{until}为止",
    en="this bottle is being filled: its authorisation lasts until {until}",
    station=("finish_first", "先充完、放弃或等授权过期", "finish it, give it up, or wait until it expires"),
    office=("finish_first", "先充完、放弃或等授权过期", "finish it, give it up, or wait until it expires"),
)
AUTHORISATION_EXPIRED = reason(
    "filling.authorisation_expired",
    "F19",
    zh="充装授权已过期，这只瓶没有记为满瓶",
    en="the authorisation has expired; the bottle does not count as full",
    station=("ask_again", "重新刷码申请授权", "scan it and ask again"),
    office=("ask_again", "重新刷码申请授权", "scan it and ask again"),
)
NOT_WEIGHED = reason(
    "filling.not_weighed",
    "F19",
    zh="还没有称充后总重",
    en="the full bottle has not been weighed",
    station=("weigh", "称重后再记", "weigh it, then record it"),
    office=("weigh", "称重后再记", "weigh it, then record it"),
)

# S01, S03: the registers
SCALE_TAKEN = reason(
    "filling_scale.taken",
    "S03",
    zh="本站已登记过这个秤号",
    en="this station has a scale of that number",
    office=("use_standing", "使用已登记的秤", "use the standing entry"),
)
CERTIFICATE_TAKEN = reason(
    "scale_verification.taken",
    "S03",
    zh="这份检定证书已登记过",
    en="this verification certificate is on record",
    office=("check_number", "核对证书编号", "check the certificate's number"),
)
BATCH_TAKEN = reason(
    "gas_batch.taken",
    "S03",
    zh="本站已登记过这个气源批号",
    en="this station has a gas batch of that number",
    office=("use_standing", "使用已登记的批次", "use the standing entry"),
)
TEST_TAKEN = reason(
    "gas_test.taken",
    "S03",
    zh="这份检验报告已登记过",
    en="this test report is on record",
    office=("check_number", "核对报告编号", "check the report's number"),
)
NO_SUCH_STOP = reason(
    "filling_stop.not_standing",
    "S01",
    zh="没有这项停充，或已经解除",
    en="there is no such stop, or it has been lifted",
    office=("refresh", "刷新后再试", "reload and try again"),
)
STOPPED_ALREADY = reason(
    "filling_stop.standing",
    "S03",
    zh="已经停充，尚未解除",
    en="it is stopped already",
    office=("refresh", "刷新后再试", "reload and try again"),
)

BY_CONSTRAINT = {
    "ex_filling_authorisation_open": AUTHORISED_ALREADY,
    "uq_filling_scale_site_id_number": SCALE_TAKEN,
    "pk_scale_verification": CERTIFICATE_TAKEN,
    "uq_gas_batch_site_id_number": BATCH_TAKEN,
    "pk_gas_test": TEST_TAKEN,
    "ex_filling_stop": STOPPED_ALREADY,
}
"""Which "no" it is when the database refuses under that name."""

for _constraint, _reason in BY_CONSTRAINT.items():
    held_by(_constraint, _reason)

"""Every "no" of the refill gate, in the order of the law. A code, once published, keeps its meaning for ever.

What the register, custody, an agency's acts, recalls, labels and the gun refuse stands in files of their own.
"""

from core.refusal import reason

QUARANTINE = ("set_aside", "隔离存放，不得充装", "set it aside; do not fill it")
SEND_TO_INSPECTION = ("send_to_inspection", "隔离后送检验机构检验", "set it aside and send it to inspection")
SEND_TO_SCRAP = (
    "send_to_scrap",
    "隔离后送检验机构报废处理，不得再流入市场",
    "set it aside and send it to the inspection agency to be scrapped; it may not go back into use",
)
DO_NOT_HAND_OVER = (
    "bring_back",
    "不要交给用户，带回站里换一瓶合格的",
    "do not hand it over; bring it back and take a sound bottle",
)
WAIT_FOR_ANOTHER = (
    "ask_for_another",
    "请让送气工换一瓶合格的气瓶",
    "ask the courier for another, sound bottle",
)

# F01: identity
IDENTITY_UNKNOWN = reason(
    "refill.identity_unknown",
    "F01",
    zh="系统里查不到这只气瓶，身份不明",
    en="this bottle is not on file: nobody knows what it is",
    station=(
        "report_unknown",
        "隔离存放，按来源不明气瓶上报",
        "set it aside and report it as a bottle of unknown origin",
    ),
    courier=(
        "report_unknown",
        "不要收、不要供，拍照上报",
        "neither take nor supply it; photograph and report it",
    ),
    resident=WAIT_FOR_ANOTHER,
    office=(
        "register_bottle",
        "查清来源，属本单位的补建档案",
        "trace its origin; if it is ours, complete its file",
    ),
)
LABEL_UNREADABLE = reason(
    "refill.label_unreadable",
    "F01",
    zh="气瓶标签无法识读，身份无法确认",
    en="the label cannot be read, so the bottle's identity is not established",
    station=("relabel", "按钢印核对身份后重新贴标", "identify it by its stamps and give it a new label"),
    courier=("bring_back", "带回站里重新贴标后再供", "bring it back for a new label before it is supplied"),
    resident=WAIT_FOR_ANOTHER,
    office=("relabel", "安排核对钢印并换发标签", "have the stamps checked and the label replaced"),
)
LABEL_VOIDED = reason(
    "refill.label_voided",
    "F01",
    zh="气瓶标签已作废，不得再次使用",
    en="this label has been voided and may never be used again",
    station=(
        "report_voided",
        "隔离存放并上报：作废标签重新出现",
        "set it aside and report that a voided label came back",
    ),
    courier=(
        "report_voided",
        "不要收、不要供，拍照上报",
        "neither take nor supply it; photograph and report it",
    ),
    resident=WAIT_FOR_ANOTHER,
    office=("investigate", "核查作废标签重新出现的原因", "find out why a voided label is in use again"),
)
LABEL_CLAIMED_TWICE = reason(
    "refill.label_claimed_twice",
    "F01",
    zh="这个标签对应不止一只气瓶，身份无法确认",
    en="this label points to more than one bottle, so its identity is not established",
    station=("relabel", "按钢印核对身份，上报重码", "identify it by its stamps and report the double label"),
    courier=("bring_back", "带回站里核对身份", "bring it back to be identified"),
    resident=WAIT_FOR_ANOTHER,
    office=("investigate", "查清重码并换发标签", "resolve the double label and replace it"),
)

# F02: registration for use
NOT_REGISTERED = reason(
    "refill.not_registered",
    "F02",
    zh="气瓶没有办理使用登记",
    en="the bottle is not registered for use",
    station=QUARANTINE,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("register_use", "到登记机关办理使用登记", "register it for use with the authority"),
)
REGISTRATION_CANCELLED = reason(
    "refill.registration_cancelled",
    "F02",
    zh="使用登记已于{cancelled_on}注销",
    en="its registration for use was cancelled on {cancelled_on}",
    station=SEND_TO_SCRAP,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("scrap", "送检验机构报废", "send it to be scrapped"),
)

# F03: own bottles only
OWNER_UNKNOWN = reason(
    "refill.owner_unknown",
    "F03",
    zh="档案缺产权单位或登记单位",
    en="the file does not say who owns or registered this bottle",
    station=QUARANTINE,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=(
        "complete_file",
        "查清产权和登记单位后补全档案",
        "find out owner and registrant and complete the file",
    ),
)
FOREIGN_OWNED = reason(
    "refill.foreign_owned",
    "F03",
    zh="不是本单位自有并办理使用登记的气瓶",
    en="the bottle is not owned and registered by this firm",
    station=(
        "return_to_owner",
        "不得充装，退回产权单位并登记",
        "do not fill it; return it to its owner and record that",
    ),
    courier=(
        "report_foreign",
        "不要收、不要供，拍照上报",
        "neither take nor supply it; photograph and report it",
    ),
    resident=WAIT_FOR_ANOTHER,
    office=("return_to_owner", "联系产权单位领回", "have its owner collect it"),
)

# F04: periodic inspection
INSPECTION_DATE_UNKNOWN = reason(
    "refill.inspection_date_unknown",
    "F04",
    zh="档案里检验日期、制造日期或制造标准不全，算不出下次检验日期",
    en="the file lacks what the next inspection day is reckoned from: inspection, manufacture or standard",
    station=SEND_TO_INSPECTION,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=(
        "complete_file",
        "按钢印和检验标志补全档案",
        "complete the file from its stamps and inspection mark",
    ),
)
INSPECTION_OVERDUE = reason(
    "refill.inspection_overdue",
    "F04",
    zh="超期未检：应在{due_on}前检验，已超{days}天",
    en="inspection was due by {due_on}, {days} days ago",
    station=SEND_TO_INSPECTION,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("send_to_inspection", "安排送检", "send it to inspection"),
)

AT_INSPECTION = reason(
    "refill.at_inspection",
    "F04",
    zh="这只瓶已送检，检验机构还没有给出结果",
    en="the bottle was sent to an inspection agency, which has not answered yet",
    station=(
        "await_agency",
        "隔离存放，等检验机构给出结果",
        "set it aside until the agency has given its result",
    ),
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("await_agency", "催检验机构给出结果", "ask the agency for its result"),
)

# F05: failed inspection
INSPECTION_FAILED = reason(
    "refill.inspection_failed",
    "F05",
    zh="最近一次检验不合格",
    en="the bottle failed its last inspection",
    station=SEND_TO_SCRAP,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("recall", "收回并按检验机构意见处理", "recall it and do as the inspection agency says"),
)

# F06: life
LIFE_UNKNOWN = reason(
    "refill.life_unknown",
    "F06",
    zh="档案缺制造日期、制造标准或设计使用年限，算不出使用期限",
    en="the file lacks what its life is reckoned from: manufacture, standard or stamped design life",
    station=SEND_TO_INSPECTION,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("complete_file", "按钢印补全制造信息", "complete the file from its stamps"),
)
PAST_DESIGN_LIFE = reason(
    "refill.past_design_life",
    "F06",
    zh="已过设计使用年限（至{ended_on}），没有完整的延期记录（检验或安全评估、登记变更）",
    en="past its design life (ended {ended_on}) without a full extension: inspection or assessment, and "
    "change of registration",
    station=SEND_TO_INSPECTION,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=(
        "extend_or_scrap",
        "送检或评估合格并办理登记变更，否则报废",
        "have it inspected or assessed and its registration changed, or scrap it",
    ),
)
PAST_MAX_LIFE = reason(
    "refill.past_max_life",
    "F06",
    zh="已到最高使用年限（至{ended_on}），必须报废",
    en="past the longest life the rules allow (ended {ended_on}): it must be scrapped",
    station=SEND_TO_SCRAP,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("scrap", "送检验机构报废", "send it to be scrapped"),
)

# F07: scrapped
SCRAPPED = reason(
    "refill.scrapped",
    "F07",
    zh="这只气瓶已经报废",
    en="this bottle has been scrapped",
    station=(
        "report_scrapped",
        "隔离并上报：报废瓶重新出现",
        "set it aside and report that a scrapped bottle came back",
    ),
    courier=(
        "report_scrapped",
        "不要收、不要供，拍照上报",
        "neither take nor supply it; photograph and report it",
    ),
    resident=WAIT_FOR_ANOTHER,
    office=("investigate", "追查报废瓶流出原因", "find out how a scrapped bottle came back"),
)
SCRAP_ORDERED = reason(
    "refill.scrap_ordered",
    "F07",
    zh="这只气瓶已责令报废",
    en="this bottle has been ordered to be scrapped",
    station=SEND_TO_SCRAP,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("scrap", "送检验机构报废", "send it to be scrapped"),
)
SEIZED = reason(
    "refill.seized",
    "F07",
    zh="这只气瓶已被监管部门查扣，只能报废，不得再流入市场",
    en="an authority has seized this bottle: it can only be scrapped and may never come back to the market",
    station=(
        "report_seized",
        "隔离并上报：查扣的气瓶重新出现",
        "set it aside and report that a seized bottle came back",
    ),
    courier=(
        "report_seized",
        "不要收、不要供，拍照上报",
        "neither take nor supply it; photograph and report it",
    ),
    resident=WAIT_FOR_ANOTHER,
    office=("investigate", "追查查扣瓶流出原因", "find out how a seized bottle came back"),
)

# F08: altered bottles
REFURBISHED = reason(
    "refill.refurbished",
    "F08",
    zh="翻新或改装过的气瓶",
    en="the bottle has been refurbished or altered",
    station=SEND_TO_SCRAP,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=(
        "cancel_registration",
        "报登记机关，注销使用登记",
        "report it and have its registration cancelled",
    ),
)
ILLEGAL_MAKE = reason(
    "refill.illegal_make",
    "F08",
    zh="非法制造的气瓶",
    en="the bottle was made unlawfully",
    station=SEND_TO_SCRAP,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("cancel_registration", "报登记机关处理", "report it to the registering authority"),
)
SCREWED_GUARD = reason(
    "refill.screwed_guard",
    "F08",
    zh="护罩是螺纹连接的，不符合要求",
    en="its guard is screwed on, which the rules forbid",
    station=SEND_TO_SCRAP,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=(
        "cancel_registration",
        "报登记机关，注销使用登记",
        "report it and have its registration cancelled",
    ),
)
ALTERATION_UNKNOWN = reason(
    "refill.alteration_unknown",
    "F08",
    zh="没有记录是否翻新、改装",
    en="the file does not say whether the bottle was refurbished or altered",
    station=SEND_TO_INSPECTION,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("complete_file", "查验后补全档案", "have it looked at and complete the file"),
)

# F09: two-phase bottles
TWO_PHASE = reason(
    "refill.two_phase",
    "F09",
    zh="气液双相气瓶，国家标准已经禁止",
    en="a two-phase bottle: the national standard forbids the type",
    station=("recall", "隔离存放，列入召回", "set it aside for recall"),
    courier=("recall", "收回站里，不得供应", "take it back to the station; do not supply it"),
    resident=("hand_in", "请把这只瓶交给送气工收回", "please hand this bottle to the courier"),
    office=("recall", "列入召回清单并换发合格气瓶", "put it on the recall list and replace it"),
)
PHASE_UNKNOWN = reason(
    "refill.phase_unknown",
    "F09",
    zh="没有记录是气相瓶还是液相瓶",
    en="the file does not say whether the bottle is for vapour or liquid",
    station=QUARANTINE,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("complete_file", "按瓶体颜色和标志补全档案", "complete the file from its colour and marks"),
)

# F10: the owner's embossed mark
NOT_EMBOSSED = reason(
    "refill.not_embossed",
    "F10",
    zh="{from_on}起购入的气瓶，封头上必须压有充装单位标志，这只没有",
    en="bottles bought from {from_on} must carry the filling firm's mark embossed on the head; this has none",
    station=QUARANTINE,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=(
        "return_to_maker",
        "退回制造单位，不得登记使用",
        "return it to its maker; it may not be registered",
    ),
)
EMBOSSING_UNKNOWN = reason(
    "refill.embossing_unknown",
    "F10",
    zh="没有记录购入日期或封头标志，无法确认",
    en="the file does not say when it was bought or whether the firm's mark is embossed",
    station=QUARANTINE,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("complete_file", "看封头标志后补全档案", "look at the head and complete the file"),
)

# F12: the station's and the filler's papers
NO_FILLING_LICENCE = reason(
    "refill.no_filling_licence",
    "F12",
    zh="本站没有在有效期内的气瓶充装许可",
    en="this station has no filling licence in force",
    station=("stop_filling", "停止充装，联系公司", "stop filling and call the firm"),
    office=("renew_licence", "办理气瓶充装许可", "obtain or renew the filling licence"),
)
NO_GAS_LICENCE = reason(
    "refill.no_gas_licence",
    "F12",
    zh="本单位没有在有效期内的燃气经营许可",
    en="this firm has no gas business licence in force",
    station=("stop_filling", "停止充装和供应，联系公司", "stop filling and supplying and call the firm"),
    courier=("call_office", "停止供应，联系公司", "stop supplying and call the firm"),
    resident=("other_supplier", "请向有许可的供气单位订气", "please order from a licensed supplier"),
    office=("renew_licence", "办理燃气经营许可", "obtain or renew the gas business licence"),
)
NO_FILLER_CERTIFICATE = reason(
    "refill.no_filler_certificate",
    "F12",
    zh="充装人员没有在有效期内的作业人员证",
    en="the filler has no certificate in force",
    station=("change_filler", "换持证人员充装", "let a certified filler do it"),
    office=("train_filler", "安排取证或换证", "have the filler certified"),
)

# F20: the filler's training
FILLER_NOT_TRAINED = reason(
    "refill.filler_not_trained",
    "F20",
    zh="充装人员没有在有效期内的安全培训记录",
    en="the filler has no safety training in force",
    station=("change_filler", "换培训合格的人员充装", "let a trained filler do it"),
    office=("train_filler", "安排培训，合格后登记", "have the filler trained, and enter it"),
)

# F15: full already, or somewhere else
ALREADY_FULL = reason(
    "refill.already_full",
    "F15",
    zh="系统记录这只瓶已充满、还没有送出",
    en="this bottle is on record as full and not yet delivered",
    station=("check_bottle", "称重核对；确是空瓶的，上报更正", "weigh it; if it is empty, report the record"),
    office=("correct_record", "核对上次充装和交接记录", "check its last filling and handover"),
)
FULLNESS_UNKNOWN = reason(
    "refill.fullness_unknown",
    "F15",
    zh="不知道这只瓶是空是满",
    en="nobody knows whether this bottle is full or empty",
    station=("weigh", "称重并登记后再充", "weigh and record it before filling"),
    office=("correct_record", "核对上次充装和交接记录", "check its last filling and handover"),
)
NOT_HERE = reason(
    "refill.not_here",
    "F15",
    zh="按交接记录这只瓶不在本站",
    en="by its custody record this bottle is not at this station",
    station=("take_in", "先扫码入站再充装", "scan it in before filling"),
    office=("correct_record", "核对交接记录", "check its custody record"),
)

# F16: holds; S04: a conflict about who has it
ON_HOLD = reason(
    "refill.on_hold",
    "F16",
    zh="这只瓶被扣留（{hold}），未解除前不得充装和供应",
    en="this bottle is on hold ({hold}) and may be neither filled nor supplied until released",
    station=QUARANTINE,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("resolve_hold", "由扣留单位办理解除", "have whoever put the hold lift it"),
)
CUSTODY_CONFLICT = reason(
    "refill.custody_conflict",
    "S04",
    zh="交接记录互相矛盾，查清前不得充装和供应",
    en="its custody records contradict each other; it may be neither filled nor supplied until resolved",
    station=QUARANTINE,
    courier=DO_NOT_HAND_OVER,
    resident=WAIT_FOR_ANOTHER,
    office=("resolve_conflict", "查清真实去向并登记原因", "find out where it truly was and record why"),
)

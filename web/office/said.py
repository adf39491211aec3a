"""What the words of the rooms are called in the office: Chinese, English."""

from core.geo import Datum
from core.jobs import Fault, JobState
from cylinders.count_queries import KIND_WORDS, WHY_WORDS
from cylinders.life_models import (
    CancelReason,
    DueKind,
    RecallOutcome,
    SendingReason,
    SightingKind,
    UnfitReason,
)
from cylinders.models import Phase, Scheme
from cylinders.states import TaskState
from dispatch.safety.equipment_models import EndReason, EquipmentKind, HoseMaterial
from registry.account_gate import AccountBusiness
from registry.accounts import SuspensionReason
from registry.documents import DocumentKind
from registry.models import CLASS_AT as CLASS_OF_PLACE
from registry.models import CardException, CheckMethod, PremisesKind, SiteKind, UserClass
from registry.people import RevealField, RevealPurpose, RevealReason
from registry.premises_gate import BottlePlace, FloorKind, RentalKind, SmallPlace
from registry.premises_models import ClosingReason
from registry.privacy_models import RequestKind, RequestReason
from registry.states import AccountState, CardState, SuccessionState
from registry.succession_models import Kinship, RejectedFor, SuccessionGround
from registry.vulnerability_models import VulnerableGround

Said = tuple[str, str]

KINDS, WHYS = KIND_WORDS, WHY_WORDS
"""Of a count: how a bottle differed, and why."""

SITES: dict[str, Said] = {
    SiteKind.FILLING_STATION.value: ("充装站", "filling station"),
    SiteKind.SUPPLY_POINT.value: ("供应站", "supply point"),
    SiteKind.DEPOT.value: ("仓库", "depot"),
}

SCHEMES: dict[str, Said] = {
    Scheme.PLATFORM.value: ("平台码", "platform code"),
    Scheme.USE_REGISTRATION.value: ("使用登记代码", "use registration"),
    Scheme.STAMP.value: ("钢印号", "stamp"),
    Scheme.EQUIPMENT.value: ("设备代码", "equipment code"),
    Scheme.MAKER.value: ("制造厂码", "maker's own code"),
    Scheme.RFID.value: ("电子标签", "RFID"),
}

UNFIT: dict[str, Said] = {
    UnfitReason.FAILED_INSPECTION.value: ("检验不合格", "failed its inspection"),
    UnfitReason.REFURBISHED.value: ("翻新、改装", "refurbished"),
    UnfitReason.ILLEGAL_MAKE.value: ("非法制造", "unlawfully made"),
    UnfitReason.SCREWED_GUARD.value: ("螺丝固定护罩", "a screwed-on guard"),
}

SENDING: dict[str, Said] = {
    SendingReason.DUE.value: ("检验快到期", "inspection coming due"),
    SendingReason.OVERDUE.value: ("检验已过期", "inspection overdue"),
    SendingReason.PAST_LIFE.value: ("到了使用年限", "past its life"),
    SendingReason.FAILED_CHECK.value: ("充装检查不合格", "failed a check when filling"),
    SendingReason.UNFIT.value: ("不能再用，送去报废", "unfit, to be scrapped"),
    SendingReason.RECALL.value: ("被召回", "recalled"),
}
"""Why a firm sends a bottle to an agency."""

CANCELLING: dict[str, Said] = {
    CancelReason.FAILED_INSPECTION.value: ("检验不合格", "failed its inspection"),
    CancelReason.PAST_LIFE.value: ("到了使用年限", "past its life"),
    CancelReason.REFURBISHED.value: ("翻新、改装", "refurbished"),
    CancelReason.ILLEGAL_MAKE.value: ("非法制造", "unlawfully made"),
    CancelReason.SCREWED_GUARD.value: ("螺丝固定护罩", "a screwed-on guard"),
    CancelReason.TWO_PHASE.value: ("双相瓶", "two-phase"),
    CancelReason.SEIZED.value: ("被查扣", "seized"),
    CancelReason.SCRAPPED.value: ("已报废", "scrapped"),
    CancelReason.LOST.value: ("遗失", "lost"),
}
"""Why a bottle's use registration is cancelled."""

LEAVING: dict[str, Said] = {
    "agency_id": ("检验机构", "Agency"),
    "why": ("为什么", "Why"),
    "reference": ("单据编号", "Number of the slip"),
    "document_no": ("注销文书编号", "Number of the authority's paper"),
    "cancelled_on": ("注销日期", "Cancelled on"),
}
"""The fields of the forms by which a bottle leaves use."""

SIGHTINGS: dict[str, Said] = {
    SightingKind.UNKNOWN.value: ("查不到的瓶", "unknown"),
    SightingKind.FOREIGN.value: ("外来瓶", "another firm's"),
    SightingKind.BLACK.value: ("黑气瓶", "without lawful marks"),
    SightingKind.VOIDED.value: ("作废的编码", "a voided code"),
    SightingKind.SCRAPPED.value: ("已报废的瓶", "scrapped"),
    SightingKind.SEIZED.value: ("已查扣的瓶", "seized"),
}

PHASES: dict[str, Said] = {
    Phase.VAPOUR.value: ("气相", "vapour"),
    Phase.LIQUID.value: ("液相", "liquid"),
    Phase.TWO_PHASE.value: ("双相", "two-phase"),
}

STANDINGS: dict[str, Said] = {
    "stands": ("采信", "stands"),
    "lost": ("未采信", "not believed"),
    "withdrawn": ("已更正", "declared an error"),
}

SUSPENDED: dict[str, Said] = {
    SuspensionReason.HAZARD.value: ("有隐患", "a hazard"),
    SuspensionReason.INSPECTION_REFUSED.value: ("拒绝安检", "a check was refused"),
    SuspensionReason.CONTRACT_BREACH.value: ("违反合同", "a breach of contract"),
    SuspensionReason.USER_REQUEST.value: ("用户要求", "the user asked for it"),
}

ASKED_OF_ACCOUNTS: dict[str, Said] = {
    AccountBusiness.OPENING.value: ("新开户", "a new account"),
    AccountBusiness.TRANSFER.value: ("过户", "a transfer"),
    AccountBusiness.SUCCESSION.value: ("继承", "a succession"),
    AccountBusiness.CHANGE_OF_ADDRESS.value: ("搬家换地址", "a change of address"),
    AccountBusiness.REOPENING.value: ("销户后重新开户", "an account reopened"),
}

CARDS: dict[str, Said] = {
    CardState.ACTIVE.value: ("有效", "active"),
    CardState.LOST.value: ("已挂失", "reported lost"),
    CardState.BLOCKED.value: ("已停用", "blocked"),
    CardState.CLOSED.value: ("已注销", "closed"),
}

ACCOUNTS: dict[str, Said] = {
    AccountState.OPEN.value: ("正常", "open"),
    AccountState.SUSPENDED.value: ("已暂停", "suspended"),
    AccountState.CLOSED.value: ("已注销", "closed"),
}

EXCEPTIONS: dict[str, Said] = {
    CardException.FIRST_SUPPLY.value: ("首次供气，可不收空瓶", "first supply: no empty to swap"),
    CardException.BOTTLE_LOST.value: ("空瓶已报失，可不收空瓶", "its bottle is lost: no empty to swap"),
}

CLASSES: dict[str, Said] = {
    UserClass.RESIDENT.value: ("居民", "resident"),
    UserClass.RESTAURANT.value: ("餐饮", "restaurant"),
    UserClass.OTHER_BUSINESS.value: ("其他单位", "other business"),
}

PLACES: dict[str, Said] = {
    PremisesKind.DWELLING.value: ("住宅", "dwelling"),
    PremisesKind.RESTAURANT.value: ("餐饮场所", "restaurant"),
    PremisesKind.OTHER_BUSINESS.value: ("其他经营场所", "other business"),
}

FLOORS: dict[str, Said] = {
    FloorKind.ABOVE_GROUND.value: ("地上", "above ground"),
    FloorKind.SEMI_BASEMENT.value: ("半地下室", "semi-basement"),
    FloorKind.BASEMENT.value: ("地下室", "basement"),
    FloorKind.UNVENTILATED.value: ("不通风的密闭空间", "closed, without ventilation"),
    FloorKind.GARAGE.value: ("车库", "garage"),
}

SEEN: dict[str, Said] = {
    "piped_gas": ("通管道气", "piped gas"),
    "lift": ("有电梯", "a lift"),
    "converted_to_pipe": ("已改管道气", "converted to piped gas"),
    "has_cylinder_room": ("有瓶组间", "a cylinder room"),
    "other_fuel_in_room": ("同室有其他燃料或明火", "another fuel or a flame in the room"),
    "leak_alarm": ("有泄漏报警器", "a leak alarm"),
    "crowded": ("人员密集场所", "a crowded place"),
}
"""What a survey looks at and answers with yes or no; what nobody looked at stays unknown."""

BOTTLE: dict[str, Said] = {
    **{scheme.value: SCHEMES[scheme.value] for scheme in Scheme},
    "model": ("型号", "Model"),
    "standard": ("制造标准", "Standard"),
    "phase": ("介质", "Phase"),
    "tare_g": ("皮重（公斤）", "Tare in kilograms"),
    "max_fill_g": ("最大充装量（公斤）", "Maximum fill in kilograms"),
    "made_on": ("制造年月", "Made in"),
    "design_life_years": ("设计使用年限（年）", "Design life in years"),
    "embossed_owner_mark": ("有产权单位凸字", "Owner's mark embossed"),
    "refurbished": ("翻新、改装过", "Refurbished"),
    "registered_on": ("使用登记日期", "Use registered on"),
    "bought_on": ("购入日期", "Bought on"),
    "inspection-inspected_on": ("检验年月", "Inspected in"),
    "inspection-agency": ("检验机构代号", "Agency"),
    "inspection-report_no": ("报告号", "Report"),
    "site_id": ("站点", "Site"),
}
"""The fields of the form by which a bottle is put on file."""

DUE: dict[str, Said] = {
    DueKind.INSPECTION.value: ("检验到期", "inspection due"),
    DueKind.LIFE.value: ("使用年限到期", "end of life"),
}

TASKS: dict[str, Said] = {
    TaskState.LISTED.value: ("待通知", "to be told"),
    TaskState.NOTIFIED.value: ("已通知", "told"),
    TaskState.BROUGHT_IN.value: ("已收回", "brought in"),
    TaskState.SETTLED.value: ("已了结", "settled"),
}
"""How far a recall has come with a bottle."""

RECALL: dict[str, Said] = {
    "phase": ("介质", "Phase"),
    "maker": ("钢印或制造厂码的开头", "How its stamp or maker's mark begins"),
    "model": ("型号", "Model"),
    "standard": ("标准", "Standard"),
    "made_from": ("制造日期从", "Made from"),
    "made_until": ("制造日期到", "Made until"),
    "codes": ("瓶码", "Codes"),
    "reference": ("文号", "Reference"),
    "outcome": ("怎么了结", "What became of it"),
    "cylinder_ids": ("气瓶", "Bottles"),
}
"""The fields of the forms of a recall."""

OUTCOMES: dict[str, Said] = {
    RecallOutcome.SCRAPPED.value: ("报废", "scrapped"),
    RecallOutcome.RETURNED_TO_MAKER.value: ("退回制造厂", "returned to its maker"),
    RecallOutcome.NOT_AFFECTED.value: ("不在召回之列", "not affected"),
    RecallOutcome.NOT_FOUND.value: ("找不到，已说明", "not found, explained"),
}

# --- people, places, and what is asked about them ----------------------------------------------------------

CLASS_AT: dict[str, str] = {kind.value: one.value for kind, one in CLASS_OF_PLACE.items()}
"""Who uses gas in which kind of place, word by word."""

DOCUMENTS: dict[str, Said] = {
    DocumentKind.RESIDENT_ID.value: ("居民身份证", "resident identity card"),
    DocumentKind.HK_MACAO_TW_PERMIT.value: ("港澳台居民居住证", "residence permit of HK, Macao, Taiwan"),
    DocumentKind.FOREIGN_PR.value: ("外国人永久居留身份证", "foreign permanent resident card"),
    DocumentKind.PASSPORT.value: ("护照", "passport"),
    DocumentKind.OTHER.value: ("其他证件", "another document"),
}

METHODS: dict[str, Said] = {
    CheckMethod.DOCUMENT_SEEN.value: ("当面看了证件", "the document was seen"),
    CheckMethod.DATABASE.value: ("联网核查", "checked in the database"),
    CheckMethod.AT_THE_DOOR.value: ("上门核对", "checked at the door"),
}

DATUMS: dict[str, Said] = {
    Datum.WGS84.value: ("WGS-84（GPS）", "GPS"),
    Datum.CGCS2000.value: ("CGCS2000（测绘）", "surveys"),
    Datum.GCJ02.value: ("GCJ-02（高德、腾讯）", "AutoNavi, Tencent"),
    Datum.BD09.value: ("BD-09（百度）", "Baidu"),
}

BOTTLE_PLACES: dict[str, Said] = {
    BottlePlace.KITCHEN.value: ("厨房", "kitchen"),
    BottlePlace.OUTDOORS.value: ("室外", "outdoors"),
    BottlePlace.CYLINDER_ROOM.value: ("瓶组间", "cylinder room"),
    BottlePlace.UNDERGROUND_CYLINDER_ROOM.value: ("地下瓶组间", "underground cylinder room"),
    BottlePlace.DINING_AREA.value: ("用餐区", "dining area"),
    BottlePlace.BEDROOM.value: ("卧室", "bedroom"),
    BottlePlace.BATHROOM.value: ("卫生间", "bathroom"),
    BottlePlace.LIVED_IN_ROOM.value: ("住人的房间", "a lived-in room"),
}

RENTALS: dict[str, Said] = {
    RentalKind.NOT_LET.value: ("自住", "not let"),
    RentalKind.WHOLE.value: ("整套出租", "let as a whole"),
    RentalKind.SINGLE_ROOM.value: ("单间出租", "a single room let"),
    RentalKind.COLLECTIVE.value: ("群租", "let to a collective"),
    RentalKind.FARMHOUSE.value: ("农民自建房出租", "in a farmer's own house"),
}

SMALL_PLACES: dict[str, Said] = {
    SmallPlace.SCHOOL.value: ("小学校", "small school"),
    SmallPlace.CARE_HOME.value: ("养老院", "care home"),
    SmallPlace.CLINIC.value: ("小医院、诊所", "clinic"),
    SmallPlace.SHOP.value: ("小商店", "shop"),
    SmallPlace.EATERY.value: ("小餐饮", "eatery"),
    SmallPlace.INN.value: ("小旅馆", "inn"),
    SmallPlace.ENTERTAINMENT.value: ("小歌舞娱乐", "place of entertainment"),
    SmallPlace.NET_CAFE.value: ("小网吧", "net café"),
    SmallPlace.BATH_HOUSE.value: ("小美容洗浴", "bath house"),
    SmallPlace.WORKSHOP.value: ("小生产加工", "workshop"),
}

OF_A_PLACE: dict[str, Said] = {
    **SEEN,
    "height_m": ("建筑高度（米）", "Height in metres"),
    "floor_kind": ("楼层", "Floor"),
    "bottle_place": ("气瓶放在哪里", "Where the bottle stands"),
    "rental": ("出租情况", "How it is let"),
    "category": ("九小场所", "Kind of small place"),
    "house_code": ("房屋编号（出租房）", "Code of the house, if let"),
    "rental_cap": ("出租屋控制数", "Cap of the let house"),
}
"""Everything a survey may find."""

LISTED: dict[str, dict[str, Said]] = {
    "floor_kind": FLOORS,
    "bottle_place": BOTTLE_PLACES,
    "rental": RENTALS,
    "category": SMALL_PLACES,
}
"""What the words of those facts that are words are called."""

FIELDS: dict[str, Said] = {
    "document-kind": ("证件种类", "Document"),
    "document-number": ("证件号码", "Its number"),
    "document-valid_until": ("证件有效期至", "Valid until"),
    "name": ("姓名", "Name"),
    "phone": ("手机号", "Telephone"),
    "method": ("怎么核验的", "How it was checked"),
    "evidence": ("凭据编号", "Number of what shows it"),
    "notice_version": ("告知书", "The notice"),
    "address": ("地址", "Address"),
    "street_code": ("街镇代码", "Code of the street"),
    "committee_code": ("村居代码", "Code of the committee"),
    "estate_code": ("小区代码（没有不填）", "Code of the estate, if it has one"),
    "building_code": ("楼代码（没有不填）", "Code of the building, if it has one"),
    "kind": ("场所种类", "Kind of place"),
    "lon": ("经度", "Longitude"),
    "lat": ("纬度", "Latitude"),
    "datum": ("坐标来自", "The point is from"),
    "applied_on": ("申请日期", "Applied on"),
    "cylinder_model": ("气瓶型号", "Type of bottle"),
    "cards": ("几张卡", "How many cards"),
    "seen_on": ("勘查日期", "Seen on"),
    **OF_A_PLACE,
}
"""The fields of the forms by which a user is put on file."""

REVEALED: dict[str, Said] = {
    RevealField.ADDRESS.value: ("地址", "address"),
    RevealField.NAME.value: ("姓名", "name"),
    RevealField.PHONE.value: ("电话", "telephone"),
}

REVEAL_REASONS: dict[str, Said] = {
    RevealReason.DELIVERY.value: ("送气", "a delivery"),
    RevealReason.SAFETY.value: ("安全", "safety"),
    RevealReason.COMPLAINT.value: ("投诉", "a complaint"),
    RevealReason.AUDIT.value: ("检查", "an audit"),
    RevealReason.CORRECTION.value: ("更正信息", "a correction"),
    RevealReason.OWN_REQUEST.value: ("本人要求", "the person asked"),
}

PURPOSES: dict[str, Said] = {
    RevealPurpose.CALL.value: ("打电话", "to call"),
    RevealPurpose.VISIT.value: ("上门", "to visit"),
    RevealPurpose.SERVE_NOTICE.value: ("送达通知", "to serve a notice"),
    RevealPurpose.VERIFY_IDENTITY.value: ("核对身份", "to verify who it is"),
    RevealPurpose.ANSWER_REQUEST.value: ("答复申请", "to answer a request"),
}

REQUESTS: dict[str, Said] = {
    RequestKind.COPY.value: ("查阅、复制", "to read and take a copy"),
    RequestKind.CORRECTION.value: ("更正", "to correct"),
    RequestKind.ERASURE.value: ("删除", "to erase"),
}

REQUEST_REASONS: dict[str, Said] = {
    RequestReason.DOCUMENT_SEEN.value: ("看了证件，是本人", "the document was seen"),
    RequestReason.PHONE_ANSWERED.value: ("电话核对，是本人", "confirmed by telephone"),
    RequestReason.VISITED.value: ("上门核对", "visited"),
    RequestReason.NOT_PROVEN.value: ("没有证明", "not proven"),
    RequestReason.NOT_THE_PERSON.value: ("不是本人", "not the person"),
    RequestReason.ALREADY_RIGHT.value: ("原来就是对的", "it is right already"),
    RequestReason.TERM_OVER.value: ("保存期已满", "the term is over"),
}

REQUEST_OUTCOMES: dict[str, Said] = {
    "corrected": ("已更正", "corrected"),
    "erased": ("已删除", "erased"),
    "stopped": ("期满前只保存、不使用", "kept until the term is over, and used for nothing"),
    "declined": ("没有办理", "declined"),
}

CLOSINGS: dict[str, Said] = {
    ClosingReason.PIPED_GAS.value: ("改用管道气", "piped gas instead"),
    ClosingReason.ELECTRICITY.value: ("改用电", "electricity instead"),
    ClosingReason.MOVED.value: ("搬走了", "moved away"),
    ClosingReason.DIED.value: ("登记人去世", "the registrant died"),
    ClosingReason.BUSINESS_ENDED.value: ("停业", "the business ended"),
    ClosingReason.CLEARED_OUT.value: ("清退", "cleared out"),
    ClosingReason.USER_REQUEST.value: ("用户要求", "the user asked for it"),
}

EQUIPMENT: dict[str, Said] = {
    EquipmentKind.HOSE.value: ("软管", "hose"),
    EquipmentKind.REGULATOR.value: ("调压阀", "regulator"),
    EquipmentKind.ALARM.value: ("报警器", "alarm"),
}

MATERIALS: dict[str, Said] = {
    HoseMaterial.RUBBER.value: ("橡胶", "rubber"),
    HoseMaterial.METAL.value: ("金属", "metal"),
}

ENDS: dict[str, Said] = {
    EndReason.REPLACED.value: ("已换新", "replaced"),
    EndReason.REMOVED.value: ("已拆除", "taken away"),
}

OF_EQUIPMENT: dict[str, Said] = {
    "equipment-kind": ("种类", "Kind"),
    "material": ("材质（软管才填）", "Material, of a hose"),
    "maker": ("厂家", "Maker"),
    "model": ("型号", "Model"),
    "installed_on": ("安装日期", "Fitted on"),
    "stated_until": ("标牌上的有效期", "Valid until, as printed on it"),
    "replaces": ("换下哪一件", "Which one it replaces"),
}
"""The fields of the form by which a piece is entered."""

IMPORTS: dict[str, Said] = {
    JobState.ASKED.value: ("排队中", "waiting its turn"),
    JobState.RUNNING.value: ("进行中", "under way"),
    JobState.DONE.value: ("已入账", "put on file"),
    JobState.REFUSED.value: ("没有入账", "not put on file"),
    JobState.FAILED.value: ("没有办成", "not done"),
    JobState.CANCELLED.value: ("已停下", "stopped"),
}
IMPORT_TAGS = {
    JobState.ASKED.value: "quiet",
    JobState.RUNNING.value: "quiet",
    JobState.DONE.value: "good",
    JobState.REFUSED.value: "bad",
    JobState.FAILED.value: "bad",
    JobState.CANCELLED.value: "warn",
}
IMPORT_STEPS: dict[str, Said] = {
    "reading": ("正在读文件", "reading the file"),
    "checking": ("正在查每一行", "looking at every line"),
    "publishing": ("正在入账", "putting them on file"),
}
IMPORT_FAULTS: dict[str, Said] = {
    Fault.BUSY.value: ("系统太忙，没有办成：请再送一次。", "The system was too busy: send it again."),
    Fault.GRANT_ENDED.value: ("送文件的人已没有这项权限。", "Who sent it may no longer do this."),
    Fault.OUR_BUG.value: (
        "是我们这边出了错，什么也没有入账。",
        "Something went wrong on our side; nothing was put on file.",
    ),
    Fault.WORKER_DIED.value: (
        "办的程序几次中断，已停下：请把文件分小再送。",
        "What does it broke off several times: send the file in smaller parts.",
    ),
}

GROUNDS: dict[str, Said] = {
    VulnerableGround.ELDERLY_ALONE.value: ("独居老人", "elderly and alone"),
    VulnerableGround.DISABLED.value: ("残疾", "disabled"),
    VulnerableGround.SERIOUSLY_ILL.value: ("重病", "seriously ill"),
    VulnerableGround.CHILD_ALONE.value: ("留守儿童", "a child alone"),
    VulnerableGround.LOW_INCOME.value: ("困难家庭", "in need"),
}

SUCCESSION_GROUNDS: dict[str, Said] = {
    SuccessionGround.DIED.value: ("登记人去世", "the registrant died"),
    SuccessionGround.MOVED_OUT.value: ("登记人迁出", "the registrant moved out"),
}

KINSHIPS: dict[str, Said] = {
    Kinship.SPOUSE.value: ("配偶", "spouse"),
    Kinship.CHILD.value: ("子女", "child"),
    Kinship.PARENT.value: ("父母", "parent"),
    Kinship.OTHER_MEMBER.value: ("同住的其他家人", "other member of the home"),
}

REJECTED_FOR: dict[str, Said] = {
    RejectedFor.NOT_SHOWN.value: ("凭据不足", "not shown"),
    RejectedFor.NOT_OF_THE_HOME.value: ("不是户内的人", "not of the home"),
    RejectedFor.CONTESTED.value: ("家人有异议", "contested within the family"),
}

SUCCESSIONS: dict[str, Said] = {
    SuccessionState.ASKED.value: ("待审批", "waits for a decision"),
    SuccessionState.APPROVED.value: ("已批准", "approved"),
    SuccessionState.REJECTED.value: ("已驳回", "rejected"),
    SuccessionState.WITHDRAWN.value: ("已撤回", "withdrawn"),
}

OF_SUCCESSION: dict[str, Said] = {
    "ground": ("为什么", "Why"),
    "kinship": ("与登记人的关系", "What the successor is to the registrant"),
    "evidence": ("去世或迁出凭据的编号", "Number of what shows the death or the move"),
    "membership": ("同户凭据的编号", "Number of what shows that both are of one home"),
    "person_id": ("由谁承接", "Who takes over"),
}
"""The fields of an account's passing to another member of the home."""

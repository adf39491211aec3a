"""What a trace's codes are called on its pages: verbs, roles, holders, outcomes, flags, facts of entries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.refusal import CATALOGUE, Reason
from cylinders.models import FactKind, ResolutionReason
from dispatch.deliveries.models import DropPlace
from dispatch.safety.catalogue import ITEMS
from registry.models import HolderKind
from web import left_at_door, words
from web.verbs import SAID

Said = tuple[str, str]

_HOLE = re.compile(r"\{\w+\}")

ROLES: dict[str, Said] = {
    "resident": ("居民", "resident"),
    "courier": ("送气工", "courier"),
    "filler": ("充装工", "filler"),
    "clerk": ("柜台", "clerk"),
    "dispatcher": ("调度", "dispatcher"),
    "regulator": ("监管", "regulator"),
    "agency": ("检验机构", "agency"),
    "administrator": ("管理员", "administrator"),
}

HOLDERS: dict[str, Said] = {
    HolderKind.SITE.value: ("站点", "site"),
    HolderKind.COURIER.value: ("送气工", "courier"),
    HolderKind.HOUSEHOLD.value: ("住户", "household"),
    HolderKind.AGENCY.value: ("检验机构", "agency"),
}

FACTS: dict[str, Said] = {
    FactKind.REGISTER.value: ("建档", "registered"),
    FactKind.FILL.value: ("充装", "filled"),
    FactKind.LOAD.value: ("装车", "loaded"),
    FactKind.DELIVER.value: ("交付", "delivered"),
    FactKind.TAKE_EMPTY.value: ("收回空瓶", "empty taken"),
    FactKind.MISSING.value: ("报失", "missing"),
    FactKind.RETURN.value: ("回站", "returned"),
    FactKind.SEND_TO_INSPECTION.value: ("送检", "sent to inspection"),
    FactKind.SCRAP.value: ("报废", "scrapped"),
}

RESOLUTIONS: dict[str, Said] = {
    ResolutionReason.SEEN_ON_THE_SPOT.value: ("到现场看过瓶", "the bottle was seen on the spot"),
    ResolutionReason.CODE_MISREAD.value: ("扫错了瓶码", "the bottle's code was misread"),
    ResolutionReason.CARD_MISTAKEN.value: ("用错了卡", "the wrong card was taken"),
    ResolutionReason.CLOCK_WRONG.value: ("时钟不准", "a clock was wrong"),
    ResolutionReason.DID_NOT_HAPPEN.value: ("没有发生过", "it did not happen"),
}
"""How it was found out which of two facts is true."""

SETTLED: dict[str, Said] = RESOLUTIONS | {
    "no_longer_contradicted": ("后来的记录已说明", "settled by what came later")
}

OTHER_VERBS: dict[str, Said] = {
    "account.resume": ("恢复供气", "resume an account"),
    "area.end": ("解除禁用区", "end an area free of bottled gas"),
    "area.exempt": ("豁免禁用区内一户", "exempt a place in an area"),
    "banned_use.notify": ("下达违规用气通知", "give notice of a banned use"),
    "banned_use.clear_jointly": ("联合清理", "clear a banned use jointly"),
    "banned_use.clear": ("违规用气已清理", "a banned use is cleared"),
    "banned_use.dismiss": ("违规用气不成立", "dismiss a banned use"),
    "card.report_lost": ("挂失", "report a card lost"),
    "card.unblock": ("解除冻结", "unblock a card"),
    "division.end": ("停用区划", "end a division"),
    "premises.locate": ("登记所在小区和楼", "enter the estate and building of a home"),
    "premises.survey": ("勘查用气场所", "survey premises"),
    "scan.record": ("补传扫码", "record a late scan"),
    "scan.keep_aside": ("补传扫码（留存待查）", "keep a scan aside"),
    "stock.count": ("盘点", "count the stock"),
    "stock.explain": ("说明盘点差异", "explain a difference"),
    "tip.record": ("生成线索", "record a tip"),
    "due.notify": ("到期提醒", "tell holders of what comes due"),
    "sighting.sweep": ("报废瓶再次扫码", "scans of bottles that have ended"),
}

OUTCOMES: dict[str, Said] = {
    "delivered": ("已交付", "delivered"),
    "withheld": ("不予供气，带回气瓶", "withheld: the bottle goes back"),
    "wrong_code": ("验证码不对，没有交付", "wrong code: nothing handed over"),
    "clear": ("没有发现隐患", "nothing found"),
    "findings": ("发现隐患", "hazards found"),
    "refused": ("拒绝安检", "check refused"),
}

GRADES: dict[str, Said] = {
    "general": ("一般", "general"),
    "serious": ("较重", "serious"),
    "major": ("重大", "major"),
}

STATES: dict[str, Said] = {
    "found": ("已发现", "found"),
    "told": ("已告知", "told"),
    "mended": ("已报整改", "said to be mended"),
    "closed": ("已销号", "closed"),
}

REASONS: dict[str, Said] = {
    "delivery": ("随瓶安检", "at a delivery"),
    "survey": ("摸底", "survey"),
    "look_back": ("回头看", "look-back"),
    "recheck": ("复查", "re-check"),
    "revisit": ("回访", "revisit"),
}

MODES: dict[str, Said] = {
    "on_site": ("到场", "on the spot"),
    "video": ("视频", "by video"),
    "phone": ("电话", "by telephone"),
}

RECEIVED: dict[str, Said] = {
    "signed": ("签收", "signed"),
    "refused_to_sign": ("拒签", "refused to sign"),
    "left": ("留置送达", "left at the home"),
    "electronic": ("电子送达", "electronic"),
}

WITNESSES: dict[str, Said] = {
    "committee": ("居（村）委见证", "witnessed by the committee"),
    "property_manager": ("物业见证", "witnessed by the property manager"),
    "police": ("民警见证", "witnessed by the police"),
    "colleague": ("同事见证", "witnessed by a colleague"),
}

PROOFS: dict[str, Said] = {
    "door_code": ("签收码", "door code"),
    "card_qr": ("扫卡", "card scanned"),
    "signature": ("签名", "signature"),
}

FLAGS: dict[str, Said] = {
    "weak_proof": ("只有签名为凭", "only a signature proves it"),
    "far_from_door": ("离门较远", "far from the door"),
    "no_binding": ("没有人车对应", "no binding"),
    "binding_uncertain": ("人车对应不确定", "binding uncertain"),
    "device_revoked": ("终端已停用", "device revoked"),
    "chain_broken": ("终端序号断链", "the device's chain is broken"),
    "anchor_not_ours": ("对时不可信", "the clock's anchor is not ours"),
    "not_understood": ("无法读懂", "not understood"),
    "not_applied": ("没有生效", "not applied"),
    "order_unknown": ("没有这个订单", "no such order"),
    "round_unknown": ("没有这个趟次", "no such round"),
    "line_not_open": ("订单行已了结", "the line was done with"),
    "check_incomplete": ("安检不完整", "the check is not whole"),
    "bottle_unknown": ("不明气瓶", "unknown bottle"),
    "custody_disputed": ("去向有争议", "custody disputed"),
}

TIPS: dict[str, Said] = {
    "cylinder.stranger_seen": ("发现不明或外来气瓶", "an unknown or foreign bottle was seen"),
    "cylinder.problem_reported": (
        "扫码的人反映气瓶有问题",
        "somebody who scanned a bottle reports a problem",
    ),
    "filling.short_weight": ("充装分量不足", "a bottle was filled short"),
    "code.probed": ("有人在公众查询页逐个试编码", "somebody tries codes on the public page"),
    "identifier.collision_found": ("一个编码出现在两只瓶上", "one code was found on two bottles"),
    "cylinder.reported_unfit": (
        "不合格气瓶上报登记机关",
        "an unfit bottle was reported to the registering authority",
    ),
    "cylinder.scanned_after_end": (
        "已报废或查扣的气瓶又被扫码",
        "a scrapped or seized bottle was scanned again",
    ),
    "cylinder.seized": ("查扣气瓶移交检验机构", "a seized bottle went to an agency"),
    "inspection.anomaly_found": ("检验报告存疑", "an inspection report is doubtful"),
    "device.forked": ("终端同一序号报了两种内容", "a device said two things under one number"),
    "scan.not_applied": ("终端签名的记录已留存，未能入账", "a signed scan is kept and could not be applied"),
}


def verb(code: str) -> Said:
    return SAID.get(code) or OTHER_VERBS.get(code) or (code, code)


def flag(code: str) -> Said:
    """Some flags are what a gate would have said online: then they are worded as that refusal."""
    if code in CATALOGUE:
        return reason(CATALOGUE[code])
    return FLAGS.get(code, (code, code))


def reason(entry: Reason) -> Said:
    """A reason without a case: what would be its facts is left open."""
    return _HOLE.sub("…", entry.zh), _HOLE.sub("…", entry.en)


def item(code: str) -> Said:
    known = ITEMS.get(code)
    return (known.zh, known.en) if known is not None else (code, code)


def failed(code: str) -> Said:
    """A hazard by the item that failed: the item's own words say what should be."""
    zh, en = item(code)
    return f"不合格：{zh}", f"failed: {en}"


def facts(payload: Mapping[str, Any]) -> Iterator[tuple[Said, Said]]:
    """What an entry says, as (label, value) in both languages: only what a reader can use."""
    for name, (label, said) in _FACTS.items():
        if name == "proof" and payload.get("outcome") != "delivered":
            continue  # what was offered proves nothing where nothing was handed over
        value = payload.get(name)
        if value not in (None, [], ""):
            yield label, said(value)


def _plain(value: Any) -> Said:
    return str(value), ""


def _kg(value: Any) -> Said:
    return words.kg(int(value)), ""


def _items(codes: Any) -> Said:
    named = [item(code) for code in codes]
    return "、".join(zh for zh, _ in named), "; ".join(en for _, en in named)


def _flags(codes: Any) -> Said:
    named = [flag(code) for code in codes]
    return "、".join(zh for zh, _ in named), "; ".join(en for _, en in named)


def _drop_place(value: Any) -> Said:
    return left_at_door.PLACES[DropPlace(value)]


def _word(table: Mapping[str, Said]) -> Any:
    return lambda value: table.get(str(value), (str(value), ""))


_FACTS: dict[str, tuple[Said, Any]] = {
    "outcome": (("结果", "Outcome"), _word(OUTCOMES)),
    "code": (("编码", "Code"), _plain),
    "model": (("型号", "Type"), _plain),
    "net_g": (("净重", "Net"), _kg),
    "seal_no": (("封口", "Seal"), _plain),
    "passed": (
        ("检验结论", "Inspection"),
        lambda value: ("合格", "passed") if value else ("不合格", "failed"),
    ),
    "report_no": (("报告", "Report"), _plain),
    "certificate_no": (("报废证明", "Certificate"), _plain),
    "check_reason": (("安检事由", "Check"), _word(REASONS)),
    "check_mode": (("方式", "Mode"), _word(MODES)),
    "check_outcome": (("安检结果", "Check found"), _word(OUTCOMES)),
    "check_findings": (("隐患", "Hazards"), _items),
    "item": (("项目", "Item"), lambda value: item(str(value))),
    "grade": (("等级", "Grade"), _word(GRADES)),
    "number": (("通知书", "Notice"), _plain),
    "received_how": (("送达", "Received"), _word(RECEIVED)),
    "contactless": (("交接", "Handover"), lambda value: left_at_door.mode(bool(value))),
    "proof": (("交付凭证", "Proof"), _word(PROOFS)),
    "drop_place": (("无接触交接，放在", "Contactless, left"), _drop_place),
    "drop_photo_sha256": (("现场照片指纹", "Photograph's fingerprint"), lambda value: (str(value)[:12], "")),
    "tries_left": (("验证码还可试", "Tries left"), _plain),
    "failure": (("未送成原因", "Why not"), _plain),
    "flags": (("标记", "Flags"), _flags),
}

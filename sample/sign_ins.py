"""One sign-in for each of the faces, and something to do behind it at nine in the evening.

    resident      an order whose courier is late: to follow, and to confirm at the door
    station       the empties of the day, to scan and to fill
    office        the counts of the evening, stock, what is held and contested
    courier       a round still out, with one door to go
    dispatcher    tomorrow's orders, to plan, review and apply
    regulator     hazards that stand open, refusals, tips, traces

Residents sign in by telephone: what is sent there is shown in the demo's message box. The regulator must have
a second factor: the sample takes one for them, and the message box shows its code in place of a telephone.
"""

import json
import os
import secrets
from pathlib import Path

from core import clock, second_factor
from sample.people import person
from sample.places import CHANGNING
from sample.scene import Scene

SignIn = dict[str, str | None]


def make_sign_ins(scene: Scene) -> list[SignIn]:
    waiting = scene.cast.waiting.user
    staff = [
        _by_name(scene, who, login, path, face, note)
        for who, login, path, face, note in (
            (
                f"filler_{waiting.firm}",
                "station",
                "/station/",
                ("充装站", "Filling station"),
                (
                    "扫空瓶的码，看能不能充；充装，盘点",
                    "scan the empties: may they be filled? Fill and count",
                ),
            ),
            (
                f"clerk {waiting.firm}",
                "office",
                "/office/",
                ("柜台", "Office"),
                (
                    "看库存和上限、今晚的盘点、停用的瓶；查一瓶一户",
                    "stock and caps, this evening's counts, what is held; a bottle's or a household's file",
                ),
            ),
            (
                scene.shown["late courier"],
                "courier",
                "/courier/",
                ("送气工", "Courier"),
                ("这一趟还差一户没送到，就是上面那位居民", "one door is left: the resident above"),
            ),
            (
                f"dispatcher {waiting.firm}",
                "dispatch",
                "/dispatch/",
                ("调度", "Dispatcher"),
                ("明天的订单还没有排：排好、看过、再执行", "tomorrow's orders wait: plan, review, apply"),
            ),
            (
                f"regulator {CHANGNING}",
                "regulator",
                "/oversight/",
                ("监管", "Regulator"),
                (
                    "还有没整改的隐患、线索、拒绝记录；可查一瓶、一户、一单",
                    "open hazards, tips, refusals, traces",
                ),
            ),
        )
    ]
    resident: SignIn = {
        "face_zh": "居民",
        "face_en": "Resident",
        "path": "/resident/",
        "login": None,
        "phone": person(waiting.number).phone,
        "password": None,
        "second_factor": None,
        "note_zh": "今晚订的气还在路上；验证码在样例短信箱里",
        "note_en": "this evening's bottle is still on its way; the code is in the message box",
    }
    return [resident, *staff]


def _by_name(
    scene: Scene, who: str, login: str, path: str, face: tuple[str, str], note: tuple[str, str]
) -> SignIn:
    """A password of this demo only, known to nobody before."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    body = {"principal_id": scene.world.principals[who], "login": login, "password": password}
    scene.do("administrator", "/passwords", body, f"a password for the {login}")
    return {
        "face_zh": face[0],
        "face_en": face[1],
        "path": path,
        "login": login,
        "phone": None,
        "password": password,
        "second_factor": _second_factor(scene, who, login) if login == "regulator" else None,
        "note_zh": note[0],
        "note_en": note[1],
    }


def _second_factor(scene: Scene, who: str, login: str) -> str:
    """Taken through the API with the first code, as an authenticator would show it."""
    begun = scene.do(who, "/second-factors", {}, f"a second factor for the {login}")
    code = {"code": second_factor.code_at(begun["secret"], clock.now())}
    scene.do(who, "/second-factors/codes", code, f"the first code of the {login}")
    return str(begun["secret"])


def write_sign_ins(path: Path, sign_ins: list[SignIn]) -> None:
    """For the demo's front page; readable by its owner alone."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(sign_ins, file, ensure_ascii=False)

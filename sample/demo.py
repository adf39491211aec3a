"""./lpg demo: build a sample district and live a day in it, through the public HTTP API.

Changning on 2024-06-12: two firms, 452 users, a thousand cylinders, some 120 deliveries and what goes wrong
on the way, and everybody who may not be supplied; Qingpu beside it for comparison; and, in a copy, a
restaurant in 2025. Then what the system promises is read back from the database, and the server stays up for
you to look, with a sign-in for each face. Nothing in it is real but the names of districts, streets and
committees.

The first start builds (a minute or two); later ones come back to the end of the day within seconds.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType
from typing import Any, NoReturn

import cattrs
import structlog
from rich.console import Console

import app  # the rooms register their gates, reasons and tables
from core import clock, config
from core.config import Config, WrongSetting
from core.postgres import NotStarted
from core.sealed import KeyringError
from sample import day, days_before, firms
from sample.audit import Audit, Promise
from sample.build import BUILT_AT, Builder, first_administrator
from sample.cast import FULL, NEWCOMER, SCALES, Cast
from sample.client import Api, Unexpected, digest_of, refusals_by_code
from sample.evening import book_in_the_new_year
from sample.people import person
from sample.places import CHANGNING, QINGPU
from sample.promises import check_all, heard_of
from sample.report import Built, DayTold, print_addresses, print_report
from sample.scene import Scene
from sample.sign_ins import write_sign_ins
from sample.stage import LIVING, NEW_YEAR, NoStage, Stage, on_a_free_port, stage
from sample.watch import Watch
from sample.world import World

SHOWN_ROLES = (
    "administrator", f"regulator {CHANGNING}", "clerk changning_west", "dispatcher changning_west",
    "courier_trike_1", "filler_changning_west", "agency",
)  # fmt: skip

EPILOG = """\
exit status:  0 every promise held; 1 one was broken, or the server answered otherwise than the law;
              2 it could not start

settings:     LPG_STATE_DIR, LPG_KEYRING_PATH, LPG_BIND_HOST, LPG_BIND_PORT, LPG_PUBLIC_URL, LPG_THREADS
              and LPG_LOG_LEVEL as for ./lpg run --help. The demo brings its own database and does not run
              with LPG_DATABASE_URL; one server process is enough for it."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    # SIGINT too: a shell that starts us in the background has it ignored, and whoever sends it means it
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    watch = Watch(Console(file=sys.stdout))
    try:
        settings = _settings(is_looked_at=not options.once)
        with stage(settings, options.scale) as made:
            return play(made, Cast(SCALES[options.scale]), watch, fresh=options.fresh, once=options.once)
    except (WrongSetting, NotStarted, KeyringError, NoStage) as error:
        print(error, file=sys.stderr)
        return 2
    except Unexpected as unexpected:
        print(f"\n{unexpected}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n已停止 / stopped")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./lpg demo",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="print the report and exit; serve nobody")
    parser.add_argument("--fresh", action="store_true", help="build and live the day again")
    # a small cut of the same world, for the tests
    parser.add_argument("--scale", choices=sorted(SCALES), default=FULL.name, help=argparse.SUPPRESS)
    return parser


def _settings(*, is_looked_at: bool) -> Config:
    """The demo's own: the clock is set, the database is brought along."""
    if given := {"LPG_DATABASE_URL", "LPG_OWNER_URL"} & os.environ.keys():
        raise WrongSetting(
            f"the demo brings its own database and sets the clock: unset {' and '.join(given)}"
        )
    settings = config.read(os.environ | {"LPG_DEMO_CLOCK": "1"})
    return settings if is_looked_at else on_a_free_port(settings)


def _end(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


# --- the play ---------------------------------------------------------------------------------------------


def play(stage: Stage, cast: Cast, watch: Watch, *, fresh: bool, once: bool) -> int:
    stage.forget(also_ours=fresh)
    if stage.has_kept("lived"):
        with watch.part("回到样例日", "back to the day"):
            world, told = remembered(stage.return_to("lived"))
            stage.begin_time(day.ENDS_AT)
            stage.serve()
    else:
        world = _build(stage, cast, watch)
        told = _live(stage, cast, world, watch)
        with watch.part("另一份世界，2025年", "a copy in 2025"):
            told = replace(told, new_year=_new_year(stage, cast, world, watch))
            stage.keep("lived", {"world": world.to_plain(), "day": cattrs.unstructure(told)})
            stage.serve()
            stage.wait_until(day.ENDS_AT)
    write_sign_ins(stage.folder / "sign-ins.json", told.sign_ins)
    with watch.part("核对承诺", "promises"):
        promises = _check(stage, cast, world, told)
    print_report(sys.stdout, _built(cast, world), told, promises, watch.seconds)
    held = all(promise.is_held for promise in promises)
    if once:
        return 0 if held else 1
    _show(stage, cast, world, told)
    return stage.wait_for_the_server() or (0 if held else 1)


def _build(stage: Stage, cast: Cast, watch: Watch) -> World:
    if stage.has_kept("built"):
        with watch.part("回到建好之时", "back to what was built"):
            return World.from_plain(stage.return_to("built"))
    with watch.part("准备数据库", "database"):
        stage.make_anew()
        stage.begin_time(BUILT_AT)
        stage.serve()
    world, api = World(), Api(*stage.address)
    with watch.part("建样例世界", "build"):
        world.tokens["administrator"] = first_administrator(stage)
        Builder(api, cast, world, watch.told).build()
        api.close()
        stage.stop_serving()
        stage.keep("built", world.to_plain())
    return world


def _live(stage: Stage, cast: Cast, world: World, watch: Watch) -> DayTold:
    api = Api(*stage.address)
    scene = Scene(stage, api, cast, world, watch.told)
    with watch.part("过一天", "the day"):
        stage.begin_time(days_before.BEGINS_AT)
        stage.empty_the_message_box()
        stage.serve()
        day.live(scene)
        stage.wait_until(day.ENDS_AT)
        api.close()
        stage.stop_serving()
    stage.outcomes.write_text("".join(f"{outcome.line}\n" for outcome in api.outcomes))
    examples = {reason["code"]: reason for answer in api.refused_answers for reason in answer.reasons}
    return DayTold(
        counts=dict(scene.counts),
        shown=scene.shown,
        heard={
            str(answer.refusal_no): [heard_of(reason) for reason in answer.reasons]
            for answer in api.refused_answers
        },
        by_code=dict(refusals_by_code(api.outcomes)),
        examples=examples,
        deeds=len(api.outcomes),
        sign_ins=scene.sign_ins,
        digest=digest_of(api.outcomes),
    )


def _new_year(stage: Stage, cast: Cast, world: World, watch: Watch) -> dict[str, Any]:
    """In a copy, which is dropped again: the clock of the world people look at stays on the June day."""
    stage.copy(LIVING, NEW_YEAR)
    stage.serve(NEW_YEAR)
    api = Api(*stage.address)
    reason = book_in_the_new_year(Scene(stage, api, cast, World.from_plain(world.to_plain()), watch.told))
    api.close()
    stage.stop_serving()
    stage.drop(NEW_YEAR)
    stage.database = LIVING
    return reason


# --- what is checked and shown ----------------------------------------------------------------------------


def _check(stage: Stage, cast: Cast, world: World, told: DayTold) -> list[Promise]:
    api = Api(*stage.address)
    listed = {
        item["refusal_no"]: [heard_of(reason) for reason in item["reasons"]]
        for district in (CHANGNING, QINGPU)
        for item in api.pages(world.caller(f"regulator {district}"), f"/districts/{district}/refusals")
    }
    api.close()
    with stage.sessions()() as db:
        return check_all(Audit(db, told.heard, listed, secrets_of(cast, world, told), stage.server_log))


def secrets_of(cast: Cast, world: World, told: DayTold) -> frozenset[bytes]:
    numbers = {user.number for user in cast.users}
    numbers |= {newcomer.number for newcomer in cast.newcomer.values()}
    people = [person(number) for user in numbers for number in (user, 2 * NEWCOMER + user)]
    texts = [text for one in people for text in (one.name, one.phone, one.document_number)]
    texts += [text for one in firms.staff() for text in (one.name, one.phone)]
    texts += [user.address for user in (*cast.users, *cast.newcomer.values())]
    texts += [*world.tokens.values(), *(code.removeprefix("LPGCARD:") for code in world.qr_codes.values())]
    texts += [password for one in told.sign_ins if (password := one["password"])]
    return frozenset(text.encode() for text in texts)


def _built(cast: Cast, world: World) -> list[Built]:
    homes = sum(user.is_household for user in cast.users if user.district == CHANGNING)
    others = sum(not user.is_household for user in cast.users if user.district == CHANGNING)
    qingpu = sum(user.district == QINGPU for user in cast.users)
    return [
        Built("企业", "firms", len(firms.FIRMS)),
        Built("站点", "sites", len(world.sites)),
        Built("人员", "staff", len(world.staff)),
        Built("车辆", "vehicles", len(world.vehicles)),
        Built("片区", "zones", len(world.zones)),
        Built("长宁居民户", "Changning households", homes),
        Built("长宁非居民", "Changning businesses", others),
        Built("青浦居民户", "Qingpu households", qingpu),
        Built("卡", "cards", sum(len(user.card_ids) for user in world.users.values())),
        Built("气瓶", "cylinders", len(world.cylinders)),
        Built(
            "其中有问题", "faulty ones among them", sum(bottle.fault is not None for bottle in cast.bottles)
        ),
    ]


def _show(stage: Stage, cast: Cast, world: World, told: DayTold) -> None:
    names = [*SHOWN_ROLES, f"resident {cast.waiting.number}"]
    tokens = [(name, world.tokens[name]) for name in names]
    stands = clock.stamp(day.ENDS_AT)[:16]
    print_addresses(sys.stdout, stage.config.public_url, told, tokens, stands)
    sys.stdout.flush()


def remembered(plain: Any) -> tuple[World, DayTold]:
    return World.from_plain(plain["world"]), cattrs.structure(plain["day"], DayTold)


assert app.ROOMS

if __name__ == "__main__":
    sys.exit(main())

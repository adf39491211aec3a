"""./lpg manage: what an operator does to the house as a whole."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import IO
from uuid import UUID

import structlog
from marshmallow import ValidationError

import rulebook
from core import clock, config, outbox
from core.auth import Actor, Reach, Role, ScopeKind
from core.config import WrongSetting
from core.doing import Doing
from core.migrate import MIGRATIONS
from core.postgres import NotStarted
from core.problems import WrongField
from core.refusal import Audience, Refused
from core.sealed import KeyringError
from evidence.verify import Tally, verify
from registry.fields import PlainCode
from registry.grants import give_grant
from registry.people import index_phones
from rulebook.decisions import Which
from rulebook.proposal import WrongProposal, read_proposal
from web import decisions, retention
from web import keys as keys_of_house
from web.opening import NotMigrated, Opened, opened

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        run: Command = options.run
        return run(options)
    except (WrongSetting, NotStarted, KeyringError, NotMigrated, WrongField, WrongProposal) as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./lpg manage", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, "migrate", _migrate, "bring the database to the newest schema, as its owner")
    tokens = _command(commands, "tokens", _tokens, "give a new principal a role and print its token, once")
    tokens.add_argument("--role", required=True, choices=[role.value for role in Role])
    tokens.add_argument("--scope", default="all", metavar="KIND[:CODE]", help="e.g. district:310105, firm:ID")
    tokens.add_argument("--district", type=int, required=True, help="where its deeds file, e.g. 310105")
    tokens.add_argument("--days", type=_days, help="how long the token lives; absent: until revoked")
    imports = _command(commands, "import", _import, "import a register from a file, one row a line")
    imports.add_argument("what", choices=["users", "cylinders"])
    imports.add_argument("file", type=_readable)
    imports.add_argument("--firm", type=UUID, required=True)
    imports.add_argument("--district", type=_district, required=True, help="where its rows file, e.g. 310105")
    imports.add_argument(
        "--document", type=_paper, required=True, help="code of the evidence the register rests on"
    )
    imports.add_argument("--reference", type=_paper, required=True, help="its number or date")
    imports.add_argument("--on-error", choices=["proceed", "rollback"], default="rollback")
    imports.add_argument("--form", choices=["csv", "jsonl"], default="jsonl", help="csv for cylinders only")
    imports.add_argument("--encoding", choices=["utf-8", "gb18030"], default="utf-8", help="as for --form")
    phones = _command(
        commands, "index-phones", _index_phones, "make people from before able to sign in by telephone"
    )
    phones.add_argument("--district", type=_district, required=True, help="where the deed files, e.g. 310105")
    keys = _command(
        commands, "keys", _keys, "change the keys that seal and index personal data, and sign labels"
    )
    keys.add_argument("action", choices=["show", "rotate", "rewrap", "reindex", "retire"])
    keys.add_argument(
        "purpose", nargs="?", choices=keys_of_house.CHANGED, help="of which key: rotate, retire"
    )
    keys.add_argument("version", nargs="?", type=int, help="which one: retire")
    keys.add_argument("--district", type=_district, default=100000, help="where the deeds file")
    _command(commands, "retain", _retain, "erase and delete what is over its term, as the worker does hourly")
    rules = _command(commands, "rules", _rules, "show the law that binds at a place on a day")
    rules.add_argument("action", choices=["show"])
    rules.add_argument("--place", required=True, help="100000, 310000, 310105 …")
    rules.add_argument("--on", type=date.fromisoformat, metavar="YYYY-MM-DD", help="absent: today")
    _command(commands, "verify", _verify, "read all evidence again; name what was changed, lost or moved")
    again = _command(
        commands,
        "decisions",
        _decisions,
        "judge every stored decision again by the rules of its day, or with a proposed rule",
    )
    again.add_argument("action", choices=["replay"])
    again.add_argument("--with", dest="proposal", type=Path, metavar="FILE", help="what is proposed, as TOML")
    again.add_argument("--from", dest="from_on", type=date.fromisoformat, metavar="YYYY-MM-DD")
    again.add_argument("--until", dest="until_on", type=date.fromisoformat, metavar="YYYY-MM-DD")
    again.add_argument("--district", type=_district, help="absent: all districts")
    box = _command(commands, "outbox", _outbox, "hand out what is due in the outbox, once")
    which = box.add_mutually_exclusive_group()
    which.add_argument("--dead", action="store_true", help="only list what was given up on")
    which.add_argument("--again", action="store_true", help="take up first what was given up on")
    pages = _command(commands, "docs", _docs, "print the generated pages of docs/")
    pages.add_argument("--check", action="store_true", help="only say whether they are fresh")
    _command(commands, "drift", _drift, "compare the migrations with the code's tables")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


@contextmanager
def _house(*, migrate: bool = False) -> Iterator[Opened]:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    import app  # the rooms register their gates, reasons and handlers

    assert app.ROOMS
    with opened(config.read(), migrate_first=migrate) as house:
        yield house


def _doing(house: Opened, district: int) -> Doing:
    """The operator at the console: an administrator of everything."""
    actor = Actor(outbox.HOUSE, Reach(Role.ADMINISTRATOR, ScopeKind.ALL, "", district), district)
    return Doing(house.ground, actor, district, request_id="manage")


def _days(given: str) -> int:
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of days from 1, got {given!r}")
    return int(given)


def _district(given: str) -> int:
    if not re.fullmatch("[1-8][0-9]{5}", given):
        raise argparse.ArgumentTypeError(f"expected a district's six digits, got {given!r}")
    return int(given)


def _readable(given: str) -> Path:
    try:
        Path(given).open("rb").close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{given}: {error.strerror}") from None
    return Path(given)


def _paper(given: str) -> str:
    """A code that goes into the evidence, in the same form as through HTTP."""
    try:
        return str(PlainCode().deserialize(given))
    except ValidationError as error:
        raise argparse.ArgumentTypeError(str(error.messages[0]).rpartition("|")[2]) from None


def _migrate(_: argparse.Namespace) -> int:
    with _house(migrate=True):
        print("the database stands at the newest schema")
    return 0


def _tokens(options: argparse.Namespace) -> int:
    kind, _, code = options.scope.partition(":")
    if kind not in list(ScopeKind) or (kind != ScopeKind.ALL and not code):
        print(
            f"--scope: expected KIND:CODE with KIND one of {', '.join(ScopeKind)}, got {options.scope!r}",
            file=sys.stderr,
        )
        return 2
    expires_at = clock.now() + timedelta(days=options.days) if options.days else None
    with _house() as house:
        given = give_grant(
            _doing(house, options.district),
            role=Role(options.role),
            scope_kind=ScopeKind(kind),
            scope_code=code,
            home_district=options.district,
            label=f"{options.role} by manage",
            until_at=expires_at,
        )
    print(given.token)
    return 0


def _import(options: argparse.Namespace) -> int:
    if options.what == "cylinders":
        return _import_cylinders(options)
    if options.form != "jsonl" or options.encoding != "utf-8":
        print("users come as JSONL in UTF-8 only", file=sys.stderr)
        return 2
    return _import_users(options)


def _import_cylinders(options: argparse.Namespace) -> int:
    from cylinders.import_models import FileEncoding, FileForm
    from cylinders.import_queries import fault_rows, file_import
    from cylinders.imports import import_file

    with _house() as house:
        doing = _doing(house, options.district)
        import_id, refused = import_file(
            doing,
            options.file,
            firm_id=options.firm,
            evidence={"document": options.document, "reference": options.reference},
            on_error=options.on_error,
            form=FileForm(options.form),
            encoding=FileEncoding(options.encoding),
            progress=lambda done: print(f"\r{done} lines", end="", file=sys.stderr),
        )
        done = file_import(doing, import_id)
        told = sys.stdout if refused is None else sys.stderr
        print(file=sys.stderr)
        if refused is not None:
            print(f"refused, nothing was written ({refused.number}):", file=sys.stderr)
        else:
            print(f"accepted {done['accepted']}, refused {done['refused']}")
        for fault in fault_rows(doing, import_id):
            field = f"{fault['field']}: " if fault["field"] else ""
            print(f"  line {fault['line']}: {field}{fault['code']}: {fault['zh']} / {fault['en']}", file=told)
    return 1 if refused is not None or done["refused"] else 0


def _import_users(options: argparse.Namespace) -> int:
    from registry.imports import import_users

    try:
        with _house() as house, options.file.open("rb") as file:
            report = import_users(
                _doing(house, options.district),
                _lines_of(file),
                firm_id=options.firm,
                document=options.document,
                reference=options.reference,
                on_error=options.on_error,
                progress=lambda done: print(f"\r{done} rows", end="", file=sys.stderr),
            )
    except Refused as refused:
        print(f"\nrefused, nothing was written ({refused.number}):", file=sys.stderr)
        for refusal in refused.refusals:
            said = refusal.worded(Audience.OFFICE)
            line = f"line {refusal.facts['row']}: " if "row" in refusal.facts else ""
            print(f"  {line}{said['code']}: {said['zh']} / {said['en']}", file=sys.stderr)
        return 1
    print(file=sys.stderr)
    print(f"accepted {report.accepted}, refused {len({fault.line for fault in report.faults})}")
    for fault in report.faults:
        print(f"  line {fault.line}: {fault.text}")
    return 1 if report.faults else 0


def _lines_of(file: IO[bytes]) -> Iterator[str]:
    """Lines in UTF-8, with or without a byte order mark. One in another encoding is no JSON either."""
    encoding = "utf-8-sig"
    for line in file:
        try:
            yield line.decode(encoding)
        except UnicodeDecodeError:
            yield "not UTF-8"
        encoding = "utf-8"


def _index_phones(options: argparse.Namespace) -> int:
    with _house() as house:
        done = index_phones(_doing(house, options.district))
    print(f"{done['written']} telephone numbers can now be found")
    return 0


def _retain(_: argparse.Namespace) -> int:
    with _house() as house:
        gone = retention.retain(house.ground)
    print(", ".join(f"{what} {number}" for what, number in gone.items()))
    return 0


def _keys(options: argparse.Namespace) -> int:
    with _house() as house:
        act = keys_of_house.Changing(
            house.ground, lambda district: _doing(house, district or options.district)
        )
        return act.do(options.action, options.purpose, options.version)


def _rules(options: argparse.Namespace) -> int:
    edition, day = rulebook.current(), options.on or clock.today()
    rows = edition.rules_for(options.place, day)
    if options.place not in edition.places or not rows:
        known = ", ".join(f"{code} {name}" for code, name in sorted(edition.places.items()))
        print(f"no rule binds at {options.place} on {day}; the law knows {known}", file=sys.stderr)
        return 1
    print(f"{options.place} on {day}, edition {edition.digest[:12]}\n")
    for rule in rows:
        until = f" until {rule.until}" if rule.until else ""
        print(
            f"{rule.name} = {rule.value!r}  [{rule.place}] effective {rule.effective}{until}, "
            f"issued {rule.issued}; {rule.document} {rule.article} ({rule.confidence})"
        )
    return 0


def _verify(_: argparse.Namespace) -> int:
    tally, found = Tally(), 0
    with _house() as house, house.ground.sessions() as db:
        for finding in verify(db, tally):
            found += 1
            print(f"{finding.code}: {finding.where}: {finding.zh} / {finding.en}")
    print(f"{tally.entries} entries in {tally.chains} chains read again, {found} findings")
    return 1 if found else 0


def _decisions(options: argparse.Namespace) -> int:
    which = Which(options.from_on, options.until_on, options.district)
    if which.from_on and which.until_on and which.until_on < which.from_on:
        print(f"--until: expected {which.from_on} or later, got {which.until_on}", file=sys.stderr)
        return 2
    with _house() as house, house.ground.sessions() as db:
        if options.proposal is None:
            return decisions.replay(db, which)
        proposal = read_proposal(options.proposal, rulebook.current())
        return decisions.replay_with(db, which, proposal)


def _list_dead(house: Opened) -> int:
    with house.ground.sessions() as db:
        given_up = outbox.dead(db)
    for row in given_up:
        print(f"{row.district} {row.event_id} {row.consumer}: {row.attempts} attempts, {row.last_error}")
    print(f"{len(given_up)} deliveries given up on")
    return 1 if given_up else 0


def _outbox(options: argparse.Namespace) -> int:
    with _house() as house:
        if options.dead:
            return _list_dead(house)
        if options.again:
            with house.ground.sessions() as db:
                print(f"{outbox.take_up_again(db)} deliveries taken up again")
        done = sum(outbox.deliver_due(house.ground, one) for one in outbox.districts_due(house.ground))
    print(f"{done} deliveries handed out")
    return 0


def _docs(options: argparse.Namespace) -> int:
    from web import docs

    stale = docs.stale_pages() if options.check else docs.write_pages()
    for page in stale:
        print(f"{page}: {'stale; run ./lpg manage docs' if options.check else 'written'}")
    return 1 if options.check and stale else 0


def _drift(_: argparse.Namespace) -> int:
    from web.drift import drift

    differences = drift()
    for line in differences:
        print(line)
    print(f"{len(differences)} differences between {MIGRATIONS.name}/ and the code's tables")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())

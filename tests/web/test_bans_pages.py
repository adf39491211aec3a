"""The authority's pages of what goes against the bans, and the deposit at the desk, as people use them."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from registry.models import Account
from registry.premises_models import AccountReview, AreaExemption, BannedUse, DepositLine, FreeArea
from tests.cast import CHANGNING, Cast, Users, made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.web.test_courier_pages import Hand

AREAS, USES, ACCOUNTS = "/oversight/bans/areas", "/oversight/bans/uses", "/oversight/bans/accounts"
OUTLINE = {
    "type": "Polygon",
    "coordinates": [[[121.3, 31.1], [121.5, 31.1], [121.5, 31.3], [121.3, 31.3], [121.3, 31.1]]],
}
DECLARED = {
    "name": "样例片",
    "notice_no": "GG-1",
    "datum": "wgs84",
    "outline": json.dumps(OUTLINE),
    "announced_on": "2024-06-12",
    "effective_on": "2024-12-31",
}
SEEN = {
    "kind": "garage",
    "street_code": "310105001",
    "committee_code": "310105001001",
    "lon": "121.4",
    "lat": "31.2",
    "datum": "gcj02",
    "found_on": "2024-06-10",
    "evidence": "PIC-7",
}


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def street(app: Flask, desk: Desk) -> Hand:
    return Hand(app, desk, desk.sign_in(Role.REGULATOR, CHANGNING, street="310105001"))


def test_an_area_is_declared_a_home_in_it_exempted_and_the_area_ended(
    app: Flask, desk: Desk, cast: Cast, db: Session
) -> None:
    authority = Hand(app, desk, cast.regulator)
    feature = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": OUTLINE}]}
    for number, outline in enumerate((OUTLINE, feature["features"][0], feature)):
        said = {"outline": json.dumps(outline), "notice_no": f"GG-{number}"}
        assert authority.send(AREAS, AREAS, **DECLARED | said) == (302, AREAS)
    assert authority.send(AREAS, AREAS, **DECLARED)[0] == 409, "that notice has its area already"
    area = db.scalars(sa.select(FreeArea).order_by(FreeArea.id)).first()
    assert area is not None
    assert "已公告，未生效" in authority.client.get(AREAS).text
    users = cast.household()
    paper = {
        "ground": "hardship",
        "document_no": "HM-1",
        "valid_from": "2025-01-01",
        "valid_until": "2025-06-30",
    }
    at = f"{AREAS}/{area.id}"
    status, page = authority.send(AREAS, f"{at}/exemptions", household_id="x", **paper)
    assert (status, page.count('class="fault"')) == (422, 1)
    beside = f'value="x" aria-invalid="true" aria-describedby="household-{area.id}-fault"'
    assert beside in page, "said at the field of its row, which keeps what was typed"
    assert f'id="until-{area.id}" name="valid_until" value="2025-06-30"' in page
    assert authority.send(AREAS, f"{at}/exemptions", household_id=str(users.household_id), **paper)[0] == 302
    assert db.scalars(sa.select(AreaExemption.document_no)).one() == "HM-1"
    status, page = authority.send(AREAS, f"{at}/ends", ended_on="2024-06-11")
    assert (status, f'id="end-{area.id}-fault"' in page) == (422, True)
    assert authority.send(AREAS, f"{at}/ends", ended_on="2025-01-31")[0] == 302
    assert authority.send(AREAS, f"{at}/ends", ended_on="2025-02-28")[0] == 409
    db.refresh(area)
    assert area.ended_on == date(2025, 1, 31)
    assert authority.send(AREAS, f"{at}/ends", ended_on="2025-01-15")[0] == 302, "an earlier day mends it"


def test_an_area_that_cannot_be_read_is_not_declared_nor_by_a_street(
    app: Flask, desk: Desk, cast: Cast, street: Hand, db: Session
) -> None:
    authority = Hand(app, desk, cast.regulator)
    crossed = {"type": "Polygon", "coordinates": [[[121, 31], [122, 32], [122, 31], [121, 32], [121, 31]]]}
    wrongs: tuple[dict[str, str], ...] = (
        {"outline": ""},
        {"outline": "{"},
        {"outline": "[]"},
        {"outline": "[" * 1000 + "]" * 1000},
        {"outline": '{"type": "Polygon", "coordinates": ' + "[" * 900 + "]" * 900 + "}"},
        {"outline": '{"features": [1, 2]}'},
        {"outline": '{"type": "Point", "coordinates": [121, 31]}'},
        {"outline": json.dumps(crossed)},
        {"datum": ""},
        {"effective_on": "2024-06-11"},
        {"announced_on": "2024-06-13"},
        {"name": "\x00"},
    )
    for wrong in wrongs:
        status, page = authority.send(AREAS, AREAS, **DECLARED | wrong)
        assert (status, 'role="alert"' in page) == (422, True), wrong
    assert authority.send(AREAS, AREAS, **DECLARED | {"effective_on": "2024-06-12"})[0] == 409, "no notice"
    assert street.send(USES, AREAS, **DECLARED)[0] == 404
    assert db.scalar(sa.select(sa.func.count()).select_from(FreeArea)) == 0


def test_a_use_is_reported_noticed_and_cleared_jointly_after_its_day(
    app: Flask, desk: Desk, db: Session
) -> None:
    who, colleague = (desk.sign_in(Role.REGULATOR, CHANGNING, street="310105001") for _ in range(2))
    assert Hand(app, desk, who).send(USES, USES, **SEEN) == (302, USES)
    [use] = db.scalars(sa.select(BannedUse))
    at = f"{USES}/{use.id}"
    other = Hand(app, desk, colleague)
    assert other.send(USES, f"{at}/notices", notice_no="TZ-1")[0] == 302
    assert other.send(USES, f"{at}/joint-clearings", departments="fire")[0] == 422, "one is not jointly"
    both: Any = {"departments": ["fire", "town"]}
    status, page = other.send(USES, f"{at}/joint-clearings", **both)
    assert (status, "期限" in page) == (409, True)
    with clock.standing_at(THE_DAY + timedelta(days=20)):
        other = Hand(app, desk, colleague)
        assert "逾期" in other.client.get(USES).text
        assert other.send(USES, f"{at}/joint-clearings", **both)[0] == 302
        status, own = Hand(app, desk, who).send(USES, f"{at}/clearings", evidence="PIC-9")
        assert (status, "上报人不能自己销案" in own) == (409, True)
        assert other.send(USES, f"{at}/clearings", evidence="PIC-9")[0] == 302
    db.expire_all()
    assert (use.state.value, use.joint_with) == ("cleared", ["fire", "town"])


def test_what_is_wrong_with_a_report_is_said_and_nothing_is_kept(street: Hand, db: Session) -> None:
    for wrong in ({"lon": "east"}, {"lat": "nan"}, {"lon": "1e400"}, {"datum": ""}, {"kind": "attic"}):
        status, page = street.send(USES, USES, **SEEN | wrong)
        assert (status, 'role="alert"' in page) == (422, True), wrong
    assert db.scalar(sa.select(sa.func.count()).select_from(BannedUse)) == 0


def test_another_street_sees_and_settles_nothing_of_it(
    app: Flask, desk: Desk, street: Hand, db: Session
) -> None:
    street.send(USES, USES, **SEEN)
    [use] = db.scalars(sa.select(BannedUse))
    stranger = Hand(app, desk, desk.sign_in(Role.REGULATOR, CHANGNING, street="310105002"))
    assert "PIC-7" not in stranger.client.get(USES).text
    assert stranger.send(USES, f"{USES}/{use.id}/notices", notice_no="TZ-1")[0] == 404


def opened_under_the_bar(cast: Cast, db: Session) -> Users:
    users = cast.household()
    db.execute(sa.update(Account).where(Account.id == users.account_id).values(to_review=True))
    db.commit()
    return users


def test_an_account_opened_under_the_bar_is_looked_at_once(
    app: Flask, desk: Desk, cast: Cast, street: Hand, db: Session
) -> None:
    users = opened_under_the_bar(cast, db)
    at = f"{ACCOUNTS}/{users.account_id}/reviews"
    assert "待复核" in street.client.get(ACCOUNTS).text
    assert street.send(ACCOUNTS, at, finding="", evidence="SQ-1")[0] == 422
    assert street.send(ACCOUNTS, at, finding="proven", evidence="SQ-1") == (302, ACCOUNTS)
    assert "申请日属实" in street.client.get(ACCOUNTS).text
    [found] = db.scalars(sa.select(AccountReview))
    assert (found.evidence, found.decided_on) == ("SQ-1", date(2024, 6, 12))
    stranger = Hand(app, desk, desk.sign_in(Role.REGULATOR, CHANGNING, street="310105002"))
    assert users.account_id.hex[-8:] not in stranger.client.get(ACCOUNTS).text


def test_a_deposit_is_entered_in_yuan_and_never_falls_below_nothing(
    app: Flask, desk: Desk, cast: Cast, db: Session
) -> None:
    users = cast.household()
    hand = Hand(app, desk, cast.clerk)
    page = f"/office/households/{users.household_id}/deposit"
    assert hand.send(page, page, kind="paid", amount="120.5", receipt_no="SJ-1") == (302, page)
    assert "¥120.50" in hand.client.get(page).text
    for amount in ("", "12,5", "-5", "1.005", "十二", "1e3"):
        assert hand.send(page, page, kind="paid", amount=amount, receipt_no="SJ-2")[0] == 422
    status, refused = hand.send(page, page, kind="refunded", amount="120.51", receipt_no="SJ-3")
    assert (status, "押金余额" in refused) == (409, True)
    assert [one.amount_fen for one in db.scalars(sa.select(DepositLine))] == [12_050]
    stranger = Hand(app, desk, cast.clerk_of(cast.another_firm()))
    assert stranger.status(page) == 404
    made(
        cast.clerk.post(
            cast.at(f"accounts/{users.account_id}/deposit-lines"),
            {"kind": "refunded", "amount_fen": 12_050, "receipt_no": "SJ-4"},
        )
    )
    assert "¥0.00" in hand.client.get(page).text

"""A refusal told in writing: issued once, by whom it concerns, printed, verified, and proved received."""

import hashlib
import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from core import clock, outbox
from core.auth import Role
from core.ground import Ground
from core.outbox import OutboxEvent
from core.sealed import Keyring
from cylinders.paper_code import LENGTH
from dispatch.deliveries.vouchers import VOUCHER
from dispatch.safety.models import Notice, NoticeReceipt
from evidence.models import Entry, Outcome
from oversight.models import Look
from oversight.refusal_notice_models import RefusalNotice
from oversight.refusal_notice_queries import PAPER
from tests.cast import CHANGNING, Cast, Users, made
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.orders.test_booking import a_slot, booking
from tests.oversight.test_reviews import Story, count, own_numbers, tenant
from tests.registry.proofs import codes, faults
from tests.web.test_courier_pages import Hand

SHA = "a" * 64
SIGNED = {"received_how": "signed", "signature_sha256": SHA}
OPENED = {"received_how": "electronic"}
LEFT = {"received_how": "left", "witness": "committee", "witness_sha256": SHA}


@pytest.fixture
def story(desk: Desk) -> Story:
    return Story(desk)


def read(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def issue(story: Story, by: Person | None = None, number: str | None = None) -> Any:
    body = {"refusal_no": number or story.number}
    return (by or story.cast.clerk).post(story.cast.at("refusal-notices"), body)


def receive(story: Story, by: Person, notice: str, body: dict[str, Any]) -> Any:
    return by.post(story.cast.at(f"refusal-notices/{notice}/receipts"), body)


def test_a_notice_says_every_reason_as_it_was_kept_and_nobodys_name(
    story: Story, db: Session, ground: Ground
) -> None:
    before = count(db, Entry)
    told = made(issue(story))
    kept = read(story.resident.get(story.cast.at(f"refusal-notices/{told['id']}")))
    assert told["refusal_no"] == story.number
    assert [one["code"] for one in kept["reasons"]] == ["account.opening_barred"]
    [reason] = kept["reasons"]
    assert all((reason["basis"]["document"], reason["cure"]["zh"], reason["zh"]))
    assert (kept["ask_until_on"], kept["answer_days"]) == ("2024-08-11", 15)
    assert kept["address"].endswith(f"/N/{kept['code']}")
    assert (kept["receipts"], kept["number"][:8]) == ([], f"{THE_DAY:%Y%m%d}")
    assert count(db, Entry) == before + 1
    entry = db.scalars(sa.select(Entry).where(Entry.verb == "refusal_notice.issue")).one()
    assert entry.outcome is Outcome.DONE
    for private in ("样例户", "样例路"):
        assert private.encode() not in entry.written
        assert private not in str(kept)
    trace = read(story.regulator.get(story.cast.at(f"households/{story.home}/trace")))
    assert "refusal_notice.issue" in [event["verb"] for event in trace["events"]]
    outbox.deliver_due(ground, CHANGNING)
    sent = (ground.config.state_dir / "messages.jsonl").read_text()
    assert kept["number"] in sent
    assert "2024年8月11日前（含当日）可要求人工复核" in sent


def test_a_refusal_is_told_in_writing_once(story: Story, db: Session) -> None:
    made(issue(story))
    assert codes(issue(story)) == ["refusal.told_in_writing"]
    assert (count(db, Notice), count(db, RefusalNotice)) == (1, 1)


def test_only_who_has_the_home_tells_it_and_only_what_was_refused_to_it(story: Story, db: Session) -> None:
    rival = story.cast.clerk_of(story.cast.another_firm())
    unknown = [("/refusal_no", "unknown")]
    assert faults(issue(story, rival)) == unknown
    assert faults(issue(story, number="20240612-ABCDEF")) == unknown
    assert faults(issue(story, number="x"))[0][0] == "/refusal_no"
    assert issue(story, story.regulator).status_code == issue(story, story.resident).status_code == 403
    own = story.resident.post(
        story.cast.at("refusal-reviews"), {"refusal_no": story.number, "ground": "why"}
    ).get_json()
    codes(story.act(story.cast.clerk, own["id"], "takings"))
    desk_s = db.scalars(sa.select(Entry.refusal_no).where(Entry.verb == "review.take")).one()
    assert faults(issue(story, number=desk_s)) == unknown, "what was refused to the desk is not the home's"
    assert count(db, RefusalNotice) == 0


def test_it_is_received_as_every_notice_is(story: Story, db: Session) -> None:
    notice = made(issue(story))["id"]
    wrong: tuple[tuple[Person, dict[str, Any], str], ...] = (
        (story.cast.clerk, OPENED, "/received_how"),
        (story.resident, SIGNED, "/received_how"),
        (story.cast.clerk, {"received_how": "signed"}, "/signature_sha256"),
        (story.cast.clerk, {"received_how": "left"}, "/witness"),
        (story.cast.clerk, SIGNED | {"witness": "police", "witness_sha256": SHA}, "/witness"),
        (story.cast.clerk, {"received_how": "refused_to_sign", "witness": "police"}, "/witness"),
        (story.cast.clerk, {"received_how": "shouted"}, "/received_how"),
    )
    for by, body, pointer in wrong:
        assert faults(receive(story, by, notice, body))[0][0] == pointer, body
    assert receive(story, story.cast.clerk, str(uuid4()), SIGNED).status_code == 404
    rival = story.cast.clerk_of(story.cast.another_firm())
    assert receive(story, rival, notice, SIGNED).status_code == 404
    stranger = story.cast.resident(story.cast.person())
    assert receive(story, stranger, notice, OPENED).status_code == 404
    assert stranger.get(story.cast.at(f"refusal-notices/{notice}")).status_code == 404
    assert count(db, NoticeReceipt) == 0
    for by, body in ((story.cast.clerk, LEFT), (story.regulator, SIGNED), (story.resident, OPENED)):
        done = made(receive(story, by, notice, body))
    assert [one["received_how"] for one in done["receipts"]] == ["left", "signed", "electronic"]
    assert count(db, NoticeReceipt) == 3
    hazards = story.regulator.get(story.cast.at(f"notices/{notice}"))
    assert hazards.status_code == 404, "it is no hazard's"


def test_the_home_its_file_its_copy_and_the_statistics_name_it(story: Story) -> None:
    told = made(issue(story))
    asked = {"from_on": "2024-06-12", "until_on": "2024-06-12"}

    def counted(by: Person, **days: str) -> Any:
        return read(by.get(story.cast.at("refusal-statistics"), **(asked | days)))["notices"]

    street = told_street(story)
    assert counted(story.cast.clerk) == [{"street_code": street, "issued": 1, "received": 0}]
    made(receive(story, story.resident, told["id"], OPENED))
    made(receive(story, story.cast.clerk, told["id"], SIGNED))
    assert counted(story.regulator) == [{"street_code": street, "issued": 1, "received": 1}]
    assert counted(story.cast.granted("regulator", "street", "310105006")) == []
    assert counted(story.cast.clerk_of(story.cast.another_firm())) == []
    assert counted(story.regulator, until_on="2024-06-13", from_on="2024-06-13") == []
    [own] = read(story.resident.get(story.cast.at("own-refusals")))["items"]
    assert (own["notice"]["number"], len(own["notice"]["receipts"])) == (told["number"], 2)
    copy = made(story.resident.post(story.cast.at("own-data/copies")))
    assert [(one["notice"], one["notice_received"]) for one in copy["refusals"]] == [(told["number"], True)]
    file = read(story.regulator.get(story.cast.at(f"households/{story.home}/file")))
    assert [one["number"] for one in file["refusal_notices"]] == [told["number"]]


def told_street(story: Story) -> str:
    return str(story.cast.place_body()["street_code"])


def test_anybody_who_holds_the_paper_sees_that_it_is_genuine(
    story: Story, app: Flask, ground: Ground
) -> None:
    told = made(issue(story))
    anybody = app.test_client()
    page = anybody.get(f"/N/{told['code'].lower()}")
    assert (page.status_code, told["number"] in page.text) == (200, True)
    for private in (str(story.home), str(story.home)[-8:], "样例户", "样例路"):
        assert private not in page.text
    for wrong in (
        told["code"][:-1],
        "I" * LENGTH,
        PAPER.code_of(ground.keyring, CHANGNING, uuid4()),
        PAPER.code_of(Keyring.fresh(), CHANGNING, story.home),
        VOUCHER.code_of(ground.keyring, CHANGNING, UUID(told["id"])),
    ):
        assert anybody.get(f"/N/{wrong}").status_code == 404, wrong


def test_the_desk_tells_it_in_two_steps_and_the_photograph_proves_it(
    story: Story, app: Flask, desk: Desk, db: Session
) -> None:
    at = f"/office/refusals/{story.number}"
    clerk = Hand(app, desk, story.cast.clerk)
    assert clerk.client.get(f"/office/refusals/find?number={story.number.lower()}").headers["Location"] == at
    page = clerk.client.get(at).text
    assert f'href="{at}/notice"' in page
    assert "依据" in clerk.client.get(f"{at}/notice").text
    assert count(db, RefusalNotice) == 0, "looking tells nobody"
    status, notice = clerk.send(f"{at}/notice", f"{at}/notice")
    assert (status, notice.startswith("/office/refusal-notices/")) == (303, True)
    assert clerk.send("/office/reviews", f"{at}/notice")[0] == 409
    shown = clerk.client.get(notice).text
    for word in ("不予供气告知书", "怎么办", "2024年8月11日", "还没有回执", "见证人"):
        assert word in shown, word
    assert clerk.send(notice, f"{notice}/receipts", received_how="left", witness="police")[0] == 422
    photo: Any = (io.BytesIO(b"jpeg"), "signed.jpg")
    assert clerk.send(notice, f"{notice}/receipts", received_how="signed", paper=photo)[0] == 303
    assert db.scalars(sa.select(NoticeReceipt.signature_sha256)).one() == hashlib.sha256(b"jpeg").hexdigest()
    assert "签收" in clerk.client.get(notice).text
    authority = Hand(app, desk, story.regulator)
    assert authority.status(notice.replace("/office/", "/oversight/")) == 200
    whole = authority.client.get(f"/files/households/{story.home}").text
    assert notice.replace("/office/", "/oversight/") in whole
    rival = Hand(app, desk, story.cast.clerk_of(story.cast.another_firm()))
    assert (rival.status(at), rival.status(notice), rival.status("/office/refusals/1")) == (404, 404, 404)
    assert count(db, Look) > 0
    at_home = Hand(app, desk, story.resident)
    mine = notice.replace("/office/", "/resident/")
    assert mine in at_home.client.get("/resident/refusals").text
    assert at_home.send(mine, f"{mine}/seen") == (303, mine)
    assert "说看过了" in at_home.client.get(mine).text
    assert count(db, NoticeReceipt) == 2


def test_a_street_sees_its_own_and_no_other(story: Story) -> None:
    told = made(issue(story))["id"]
    elsewhere = story.cast.desk.sign_in(Role.REGULATOR, CHANGNING, street="310105006")
    here = story.cast.granted("regulator", "street", told_street(story))
    path = story.cast.at(f"refusal-notices/{told}")
    assert (elsewhere.get(path).status_code, here.get(path).status_code) == (404, 200)


ELSEWHERE = 310118


def strangers(story: Story) -> dict[str, Person]:
    """Who has the verbs, and not this home: another firm, street, district, person."""
    cast, away = story.cast, Cast(story.cast.desk, ELSEWHERE)
    return {
        "another firm": cast.clerk_of(cast.another_firm()),
        "another street": cast.granted("regulator", "street", f"{CHANGNING}006"),
        "another person": cast.resident(cast.person()),
        "a firm elsewhere": away.clerk_of(away.another_firm()),
        "the authority elsewhere": away.regulator,
    }


def kept(db: Session) -> list[int]:
    return [count(db, table) for table in (Entry, RefusalNotice, Notice, NoticeReceipt, OutboxEvent, Look)]


def test_out_of_reach_it_is_neither_issued_nor_read_nor_received_nor_listed(
    story: Story, db: Session
) -> None:
    others = [
        (by, f"/api/v1/districts/{at}") for by in strangers(story).values() for at in (CHANGNING, ELSEWHERE)
    ]
    before = kept(db)
    for by, at in others:
        answer = by.post(f"{at}/refusal-notices", {"refusal_no": story.number})
        if answer.status_code == 422:
            assert faults(answer) == [("/refusal_no", "unknown")]
        else:
            assert answer.status_code in (403, 404), answer.text
    assert kept(db) == before
    told = made(issue(story))
    days = {"from_on": "2024-06-12", "until_on": "2024-06-12"}
    home = f"households/{story.home}"
    before = kept(db)
    for by, at in others:
        path = f"{at}/refusal-notices/{told['id']}"
        for answer in (
            by.get(path),
            by.post(f"{path}/receipts", SIGNED),
            by.post(f"{path}/receipts", OPENED),
        ):
            assert answer.status_code in (403, 404), answer.text
        for lists in ("refusal-statistics", f"{home}/file", f"{home}/trace", "own-refusals"):
            answer = by.get(f"{at}/{lists}", **days if lists == "refusal-statistics" else {})
            assert answer.status_code in (200, 403, 404), answer.text
            assert (told["number"] in answer.text, '"issued"' in answer.text) == (False, False), lists
    assert kept(db) == before, "nothing was written, no look was kept, nobody was told"


def test_no_page_out_of_reach_issues_shows_or_receives_it(
    story: Story, app: Flask, desk: Desk, db: Session
) -> None:
    others = strangers(story)
    firm, street, person = (
        Hand(app, desk, others[name]) for name in ("another firm", "another street", "another person")
    )
    telling = f"/office/refusals/{story.number}/notice"
    before = kept(db)
    assert (firm.status(telling), firm.send("/office/reviews", telling)[0]) == (404, 404)
    assert kept(db) == before
    told = made(issue(story))
    before = kept(db)
    for hand, begun, page, act in (
        (firm, "/office/reviews", f"/office/refusal-notices/{told['id']}", "receipts"),
        (street, "/oversight/reviews/", f"/oversight/refusal-notices/{told['id']}", "receipts"),
        (person, "/resident/", f"/resident/refusal-notices/{told['id']}", "seen"),
    ):
        signed: Any = {"paper": (io.BytesIO(b"jpeg"), "signed.jpg"), "received_how": "signed"}
        status, shown = hand.send(begun, f"{page}/{act}", **signed)
        assert (hand.status(page), status, told["number"] in shown) == (404, 404, False), page
    assert kept(db) == before


# --- whose it is, and until when ----------------------------------------------------------------------------


def slot_of(story: Story) -> str:
    return str(made(story.cast.dispatcher.post(story.cast.at("slots"), a_slot(story.cast)))["id"])


def booked(story: Story, users: Users, slot: str) -> Any:
    return story.cast.clerk.post(story.cast.at("orders"), booking(users, slot))


def closed(story: Story, users: Users) -> Any:
    why = {"reason": "moved", "evidence": "GD-2024/17"}
    return story.cast.clerk.post(story.cast.at(f"accounts/{users.account_id}/closings"), why)


def test_it_goes_to_who_held_the_home_then_and_each_number_leads_to_the_home(
    story: Story, app: Flask, desk: Desk, db: Session
) -> None:
    users, before = tenant(story)
    held_by, heir = story.cast.registrant_of(users), story.cast.person()
    number = booked(story, users, slot_of(story)).get_json()["refusal_no"]
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        handed = {"person_id": str(heir), "applied_on": "2023-07-31", "kind": "transfer"}
        made(story.cast.clerk.post(story.cast.at(f"accounts/{users.account_id}/transfers"), handed))
        told = made(issue(story, number=number))
        assert db.scalars(sa.select(RefusalNotice.person_id)).one() == held_by
        after = story.cast.resident(heir)
        path = story.cast.at(f"refusal-notices/{told['id']}")
        assert (before.get(path).status_code, after.get(path).status_code) == (200, 404)
        assert (own_numbers(story, before), own_numbers(story, after)) == ({number}, set())
        assert faults(story.ask(after, refusal_no=number)) == [("/refusal_no", "unknown")]
        review_id = made(story.ask(before, refusal_no=number))["id"]
        made(story.act(story.regulator, review_id, "takings"))
        answered = made(story.answered(story.regulator, review_id, outcome="upheld"))
        clerk, authority, rival = (
            Hand(app, desk, one)
            for one in (
                story.cast.clerk,
                story.regulator,
                story.cast.clerk_of(story.cast.another_firm()),
            )
        )
        assert answered["answer_notice_no"] in authority.client.get("/oversight/reviews/").text
        assert answered["answer_notice_no"] in Hand(app, desk, before).client.get("/resident/refusals").text
        home = str(users.household_id)
        for typed in (told["number"], answered["answer_notice_no"]):
            assert authority.send("/oversight/", "/oversight/search", q=typed)[1].endswith(
                f"/households/{home}"
            )
            assert clerk.send("/office/search", "/office/search", q=typed)[1].endswith(f"/households/{home}")
            status, shown = rival.send("/office/search", "/office/search", q=typed)
            assert (status, home in shown) == (200, False)
            status, shown = clerk.send("/dispatch/hotline", "/dispatch/hotline/card", card=typed)
            assert (status, home in shown) == (200, True)


def test_a_closing_that_was_refused_and_what_was_refused_to_nobody_are_not_told(
    story: Story, db: Session
) -> None:
    supplied, (left, _), slot = story.cast.household(), tenant(story), slot_of(story)
    made(booked(story, supplied, slot))
    stays = closed(story, supplied)
    assert codes(stays) == ["closing.line_open"]
    assert faults(issue(story, number=stays.get_json()["refusal_no"])) == [("/refusal_no", "unknown")]
    made(closed(story, left))
    with clock.standing_at(THE_DAY + timedelta(minutes=1)):
        number = booked(story, left, slot).get_json()["refusal_no"]
        assert faults(issue(story, number=number)) == [("/refusal_no", "nobodys")]
    assert (count(db, Notice), count(db, RefusalNotice)) == (0, 0)


def message_of(ground: Ground, number: str) -> str:
    """What was sent about the notice of that number, and nothing else that was sent."""
    outbox.deliver_due(ground, CHANGNING)
    sent = map(json.loads, (ground.config.state_dir / "messages.jsonl").read_text().splitlines())
    [text] = [one["zh"] for one in sent if number in one["zh"]]
    return str(text)


def own_list(story: Story, app: Flask, desk: Desk, person: Person) -> tuple[bool, Any, str, bool]:
    """As the list at home has the one refusal: may they ask, their review, the page, is the form there."""
    [own] = read(person.get(story.cast.at("own-refusals")))["items"]
    page = Hand(app, desk, person).client.get("/resident/refusals").text
    return own["may_ask"], own["review"], page, 'name="ground"' in page


@pytest.mark.parametrize("outcome", ["upheld", "partly", "overturned"])
def test_a_notice_offers_only_what_is_still_open(
    story: Story, app: Flask, desk: Desk, ground: Ground, outcome: str
) -> None:
    """Issued while a review waits, which is withdrawn, asked for anew and answered."""
    review_id = story.asked()
    told = made(issue(story))
    clerk, authority, at_home = (
        Hand(app, desk, one).client for one in (story.cast.clerk, story.regulator, story.resident)
    )
    papers = [
        (clerk, f"/office/refusal-notices/{told['id']}"),
        (authority, f"/oversight/refusal-notices/{told['id']}"),
        (at_home, f"/resident/refusal-notices/{told['id']}"),
    ]

    def said(faces: int = 1) -> tuple[Any, list[str], str]:
        notice = read(story.resident.get(story.cast.at(f"refusal-notices/{told['id']}")))
        pages = [client.get(path).text for client, path in papers[:faces]]
        return notice, pages, app.test_client().get(f"/N/{told['code']}").text

    def offered(pages: list[str]) -> set[str]:
        words = (
            "柜台要求人工复核",
            "以外的人在2024年6月27日前",
            "人工复核：维持原决定",
            "人工复核：部分改正",
            "人工复核：改正原决定",
        )
        return {word for word in words for page in pages if word in page}

    notice, pages, genuine = said()
    assert (notice["may_ask"], notice["review"]["state"], notice["review"]["due_on"]) == (
        False, "asked", "2024-06-27",
    )  # fmt: skip
    assert (offered(pages), "等待受理" in genuine, "可要求复核至" in genuine) == (
        {"以外的人在2024年6月27日前"}, True, False,
    )  # fmt: skip
    made(story.act(story.resident, review_id, "withdrawals"))
    notice, pages, genuine = said()
    assert (notice["may_ask"], notice["review"]) == (True, None)
    assert (offered(pages), "可要求复核至" in genuine) == ({"柜台要求人工复核"}, True)
    review_id = story.asked()
    made(story.act(story.regulator, review_id, "takings"))
    number = made(story.answered(story.regulator, review_id, outcome=outcome))["answer_notice_no"]
    notice, pages, genuine = said(faces=3)
    came_of_it, stands = {
        "upheld": ("维持原决定", True),
        "partly": ("部分改正", True),
        "overturned": ("改正原决定", False),
    }[outcome]
    assert (notice["may_ask"], notice["review"]["state"], notice["review"]["answer_no"]) == (
        False, outcome, number,
    )  # fmt: skip
    assert offered(pages) == {f"人工复核：{came_of_it}"}
    for page in pages:
        assert (number in page, "仍不同意" in page, "不再有效" in page) == (True, stands, not stands)
        assert ("请重新申请" in page, "做到以后可以随时" in page) == (not stands, stands)
    assert (came_of_it in genuine, "不再有效" in genuine, number in genuine) == (True, not stands, False)
    message = message_of(ground, told["number"])
    assert (f"已经人工复核：{came_of_it}。" in message, "可要求人工复核" in message) == (True, False)


def test_what_a_review_has_overturned_is_not_told_as_if_it_stood(
    story: Story, app: Flask, desk: Desk, db: Session
) -> None:
    review_id = story.asked()
    made(story.act(story.regulator, review_id, "takings"))
    made(story.answered(story.regulator, review_id))
    assert codes(issue(story)) == ["refusal.overturned"]
    assert count(db, RefusalNotice) == 0
    at = f"/office/refusals/{story.number}"
    clerk = Hand(app, desk, story.cast.clerk)
    for page in (at, f"{at}/notice"):
        text = clerk.client.get(page).text
        assert ("不再作书面告知" in text, f'href="{at}/notice"' in text, "出具</" in text) == (
            True,
            False,
            False,
        )


def test_a_notice_after_the_last_day_for_asking_offers_no_day(
    story: Story, app: Flask, desk: Desk, ground: Ground
) -> None:
    with clock.standing_at(THE_DAY + timedelta(days=61)):
        told = made(issue(story))
        outbox.deliver_due(ground, CHANGNING)
        message = (ground.config.state_dir / "messages.jsonl").read_text()
        page = Hand(app, desk, story.cast.clerk).client.get(f"/office/refusal-notices/{told['id']}").text
        for text in (message, page):
            assert ("期限（2024年8月11日）已过" in text, "含当日" in text) == (True, False)
        assert "（已过）" in app.test_client().get(f"/N/{told['code']}").text


def test_who_read_of_an_applicant_before_the_account_stood_is_told_to_them(
    story: Story, app: Flask, desk: Desk
) -> None:
    told = made(issue(story))
    authority = Hand(app, desk, story.regulator)
    assert authority.status(f"/oversight/refusal-notices/{told['id']}") == 200
    review = story.asked()
    made(story.act(story.regulator, review, "takings"))
    made(story.answered(story.regulator, review, excepted=["A02"], excepted_until="2024-07-31"))
    with clock.standing_at(THE_DAY + timedelta(hours=1)):
        made(story.open())
        looks = story.resident.get(story.cast.at("own-data/looks")).get_json()["items"]
    assert "regulator" in {one["role"] for one in looks}


def test_the_list_at_home_offers_a_review_until_the_last_day_and_no_longer(
    story: Story, app: Flask, desk: Desk
) -> None:
    for days, is_open in ((60, True), (61, False)):
        with clock.standing_at(THE_DAY + timedelta(days=days)):
            may_ask, review, page, form = own_list(story, app, desk, story.resident)
            assert (may_ask, review, form, "期限已过" in page) == (is_open, None, is_open, not is_open)


def test_while_a_review_waits_the_message_says_until_when_and_past_its_day_the_paper_says_so(
    story: Story, app: Flask, desk: Desk, ground: Ground
) -> None:
    story.asked()
    told, again = made(issue(story)), story.open().get_json()["refusal_no"]
    made(story.ask(refusal_no=again))
    message = message_of(ground, told["number"])
    assert "正在人工复核，应于2024年6月27日前（含当日）答复。" in message
    assert ("可要求人工复核" in message, "已超期" in message) == (False, False)
    paper = f"/resident/refusal-notices/{told['id']}"
    for days, is_late in ((15, False), (16, True)):
        with clock.standing_at(THE_DAY + timedelta(days=days)):
            page = Hand(app, desk, story.resident).client.get(paper).text
        assert ("应于2024年6月27日前" in page, "答复，已超期" in page, "overdue" in page) == (is_late,) * 3
        assert "做到以后可以随时" in page
    with clock.standing_at(THE_DAY + timedelta(days=16)):
        late = made(issue(story, number=again))["number"]
        assert "前（含当日）答复，已超期。" in message_of(ground, late)


def refused_transfer(cast: Cast) -> tuple[str, UUID, UUID]:
    """It names two: in whose name the account stands, and to whom it was to pass."""
    home = cast.household(person=cast.registrant(phone="13800003333"))
    heir = cast.person(phone="13800004444")
    asked = {"person_id": str(heir), "applied_on": "2024-06-12", "kind": "transfer"}
    refused = cast.clerk.post(cast.at(f"accounts/{home.account_id}/transfers"), asked)
    return refused.get_json()["refusal_no"], cast.registrant_of(home), heir


def test_of_a_review_that_another_asked_for_it_is_told_that_there_is_one_and_what_no_longer_stands(
    story: Story, app: Flask, desk: Desk, ground: Ground
) -> None:
    story.number, holder_id, heir_id = refused_transfer(story.cast)
    holder, heir = story.cast.resident(holder_id), story.cast.resident(heir_id)
    assert [own_list(story, app, desk, one)[0] for one in (holder, heir)] == [True, True]
    told, review_id = made(issue(story)), story.asked(heir)
    message, asked = message_of(ground, told["number"]), "这次决定已有人要求复核；一次决定只复核一次。"
    assert (asked in message, "正在人工复核" in message) == (True, False)

    def learnt() -> tuple[Any, ...]:
        notice = read(holder.get(story.cast.at(f"refusal-notices/{told['id']}")))
        may_ask, review, page, form = own_list(story, app, desk, holder)
        assert (asked in page, form) == (True, False)
        for client, at in (
            (Hand(app, desk, holder).client, f"/resident/refusal-notices/{told['id']}"),
            (Hand(app, desk, story.cast.clerk).client, f"/office/refusal-notices/{told['id']}"),
            (app.test_client(), f"/N/{told['code']}"),
        ):
            page += client.get(at).text
        said = [word in page for word in ("等待受理", "维持原决定", "改正原决定", "6月27日")]
        assert (may_ask, review, notice["may_ask"], notice["review"]) == (False, None, False, None)
        return notice["is_overturned"], page.count(asked), page.count("不再有效"), any(said)

    assert learnt() == (False, 4, 0, False)
    assert codes(story.ask(holder)) == ["review.asked_already"]
    made(story.act(story.regulator, review_id, "takings"))
    made(story.answered(story.regulator, review_id))
    assert learnt() == (True, 4, 3, False), "whoever reads the paper, or verifies it, relies on it no more"
    may_ask, review, _, form = own_list(story, app, desk, heir)
    assert (may_ask, review["state"], form) == (False, "overturned", False)

"""A refusal looked at again, in a real browser: asked at home, answered at a desk, confirmed at home."""

from playwright.sync_api import expect

from core.sessions import SignedInBy
from dispatch.safety.models import NoticeReceipt
from oversight.review_models import RefusalReview
from tests.browser.conftest import Browse, House
from tests.oversight.test_reviews import ANSWER, SAID, Story


def test_a_refusal_is_looked_at_again_from_door_to_door(house: House, browse: Browse) -> None:
    story = Story(house.desk)
    at_home = house.cookie_of(story.resident.principal_id, SignedInBy.PHONE_CODE)
    page = browse.page(at_home, viewport={"width": 390, "height": 844})
    page.goto(house.at("/resident/refusals"))
    expect(page.get_by_text(story.number)).to_be_visible()
    expect(page.get_by_text("怎么办").first).to_be_visible()
    page.get_by_text("不同意？要求人工复核").click()
    page.get_by_label("您的说明").fill(SAID)
    browse.is_accessible(page)
    browse.reflows(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("由人重新看过后答复您")

    at_office = house.cookie_of(story.cast.clerk.principal_id)
    office = browse.page(at_office)
    office.goto(house.at("/office/reviews"))
    expect(office.get_by_text("须由同事复核")).to_be_visible()  # this clerk refused it
    browse.is_accessible(office)
    office.get_by_role("link", name="按理由和街镇统计").click()
    expect(office.get_by_role("table")).to_contain_text("310105")
    browse.is_accessible(office)

    desk = browse.page(house.cookie_of(story.regulator.principal_id))
    desk.goto(house.at("/oversight/reviews/"))
    expect(desk.get_by_text(SAID)).to_be_visible()
    desk.get_by_role("button", name="受理").click()
    desk.get_by_label("改正原决定").check()
    desk.get_by_label("给用户的答复").fill(ANSWER)
    desk.get_by_label("规定A02").check()
    desk.get_by_role("button", name="答复").click()
    expect(desk.get_by_role("alert")).to_contain_text("例外须同时写明")  # no last day was given
    browse.is_accessible(desk)
    desk.get_by_label("改正原决定").check()
    desk.get_by_label("给用户的答复").fill(ANSWER)
    desk.get_by_label("规定A02").check()
    desk.get_by_label("例外到哪一天").fill("2024-07-31")
    desk.get_by_role("button", name="答复").click()
    expect(desk.get_by_role("heading", name="最近办结")).to_be_visible()
    browse.shot(desk, "regulator-reviews")

    plain = browse.page(at_home, java_script_enabled=False)
    plain.goto(house.at("/resident/refusals"))
    expect(plain.get_by_text(ANSWER)).to_be_visible()
    plain.get_by_role("button", name="我已看到答复").click()
    expect(plain.get_by_text("您已确认收到")).to_be_visible()
    with house.ground.sessions() as db:
        assert db.query(RefusalReview).one().excepted == ["A02"]
        assert db.query(NoticeReceipt).count() == 1


def test_a_refusal_is_told_in_writing_and_read_at_home(house: House, browse: Browse) -> None:
    story = Story(house.desk)
    office = browse.page(house.cookie_of(story.cast.clerk.principal_id))
    office.goto(house.at(f"/office/refusals/{story.number}"))
    browse.is_accessible(office)
    office.get_by_role("link", name="出具书面告知").click()
    expect(office.get_by_role("button", name="出具")).to_be_visible()
    browse.is_accessible(office)
    office.get_by_role("button", name="出具").press("Enter")
    expect(office.get_by_role("heading", name="不予供气告知书")).to_be_visible()
    browse.is_accessible(office)
    browse.reflows(office)
    browse.shot(office, "office-refusal-notice")
    office.get_by_role("radio", name="拒签").check()
    photo = {"name": "paper.jpg", "mimeType": "image/jpeg", "buffer": b"jpeg"}
    office.get_by_label("有签名的那一页的照片").set_input_files(photo)  # type: ignore[arg-type]
    office.get_by_role("button", name="登记").click()
    expect(office.get_by_role("alert")).to_contain_text("须有见证人")
    browse.is_accessible(office)

    at_home = house.cookie_of(story.resident.principal_id, SignedInBy.PHONE_CODE)
    plain = browse.page(at_home, java_script_enabled=False, viewport={"width": 390, "height": 844})
    plain.goto(house.at("/resident/refusals"))
    plain.get_by_role("link", name="书面告知").click()
    expect(plain.get_by_text("怎么办").first).to_be_visible()
    plain.get_by_role("button", name="我看过了").click()
    expect(plain.get_by_text("说看过了")).to_be_visible()
    again = browse.page(at_home, viewport={"width": 390, "height": 844})
    again.goto(plain.url)
    browse.is_accessible(again)
    browse.reflows(again)
    with house.ground.sessions() as db:
        assert db.query(NoticeReceipt).count() == 1

"""The office's pages in a real browser: every list of a day, and a count by the gun and the keyboard."""

import io

import orjson
import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from cylinders.models import CountDifference, CountExplanation, SiteCount
from registry.models import Card
from registry.queries import CARD_QR
from tests.browser.conftest import Browse, House
from tests.cast import Cast, made
from tests.cylinders.cast import Bottles
from tests.due_jobs import run_due_jobs


@pytest.fixture
def cast(house: House) -> Cast:
    return Cast(house.desk)


@pytest.fixture
def bottles(cast: Cast) -> Bottles:
    return Bottles(cast)


def test_a_day_at_the_office_from_the_start_to_every_list(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    """A site over its cap, a held bottle, a filling and a refusal: each page says so, and can be read."""
    small = cast.site(["supply_point"], [], name="小供应站", stock_cap=1)
    held, filled = bottles.full(site_id=small), bottles.filled()
    bottles.full(site_id=small)
    bad = bottles.spoilt(refurbished=True)
    bottles.fill(bad)
    unfit = {"why": "refurbished", "reference": "FX-2024-01"}
    made(cast.filler.post(f"/api/v1/cylinders/{bad.id}/unfit-reports", unfit))
    black = {"kind": "black", "photo_sha256": "b" * 64, "site_id": str(cast.filling_station())}
    made(cast.filler.post("/api/v1/sightings", black))
    hold = {"kind": "recall", "reference": "ZH-2024-01"}
    made(cast.regulator.post(f"/api/v1/cylinders/{held.id}/holds", hold))
    page = browse.page(house.cookie_of(cast.clerk.principal_id))
    page.goto(house.at("/office/"))
    expect(page.locator("#todo + ul")).to_contain_text("超上限")
    bottles.empty(last_inspection=None, made_on="2020-06-01", bought_on="2020-07-01")
    addresses = (
        "", "stock", "day", "day?what=refused", "day?what=seen", "held", "cancellations", "filling",
        f"filling/{cast.filling_station()}/batches/new", "inspections", f"cylinders/{filled.id}", "due",
        "recalls", "accounts?kind=opening",
    )  # fmt: skip
    for number, address in enumerate(addresses):
        page.goto(house.at(f"/office/{address}"))
        browse.is_accessible(page)
        browse.reflows(page)
        browse.shot(page, f"office-{number}")
    page.goto(house.at("/office/"))
    for name, drawn in (("大字", "large"), ("更大字", "larger")):
        page.get_by_role("button", name=name).click()
        expect(page.locator("html")).to_have_class(drawn)
    browse.is_accessible(page)
    browse.shot(page, "office-larger")
    page.goto(house.at(f"/office/cylinders/{filled.id}/trace"))
    browse.is_accessible(page)
    page.goto(house.at("/office/"))
    page.locator("#q").fill(filled.code.lower())
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("气瓶档案")
    with page.expect_download() as taken:
        page.goto(house.at("/office/stock"))
        page.get_by_role("link", name="下载汇总表").click()
    assert taken.value.suggested_filename == "stock-2024-06-12.csv"


def test_a_count_with_the_gun_and_the_keyboard_alone(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    here, full, missing = bottles.empty(), bottles.filled(), bottles.empty()
    page = browse.page(house.cookie_of(cast.clerk.principal_id))
    page.goto(house.at(f"/office/sites/{cast.filling_station()}/counts/new"))
    expect(page.locator("#full")).to_be_focused()
    for code in (full.code, full.code):  # the gun reads one twice
        page.keyboard.type(code, delay=0)
        page.keyboard.press("Enter")
    expect(page.locator('[data-lines-of="full"]')).to_have_text("· 已扫 1 只（重复 1）")
    page.keyboard.press("Tab")
    expect(page.locator("#empty")).to_be_focused()
    page.keyboard.type(here.code.lower(), delay=0)
    browse.is_accessible(page)
    browse.shot(page, "office-count-form")
    browse.reflows(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#differences")).to_contain_text("差异 1 处")
    browse.is_accessible(page)
    browse.shot(page, "office-count")
    browse.reflows(page)
    page.locator("#why-1").focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#difference-1")).to_contain_text("已说明")
    with house.ground.sessions() as db:
        [count] = db.scalars(sa.select(SiteCount))
        [difference] = db.scalars(sa.select(CountDifference))
        [told] = db.scalars(sa.select(CountExplanation))
    assert difference.cylinder_id == missing.id
    assert (told.count_id, told.why.value) == (count.id, "found_later")


def test_a_card_that_was_lost_is_replaced_at_the_desk(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    users = cast.household()
    bottles.on_card(users)
    with house.ground.sessions() as db:
        before = db.scalars(sa.select(Card).where(Card.id == users.card_ids[0])).one().credential
    page = browse.page(house.cookie_of(cast.clerk.principal_id))
    page.goto(house.at("/office/search"))
    expect(page.locator("#q")).to_be_focused()  # the page puts the gun there, a moment after it is loaded
    page.keyboard.type(before)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("一户一档")
    browse.is_accessible(page)
    browse.shot(page, "office-household")
    browse.reflows(page)
    page.get_by_role("button", name="卡丢了").click()
    page.get_by_role("button", name="补一张卡").click()
    image = page.get_by_role("img", name="用气卡二维码")
    expect(image).to_be_visible()
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-card")
    with house.ground.sessions() as db:
        after = db.scalars(sa.select(Card).where(Card.id == users.card_ids[0])).one()
    read = zxingcpp.read_barcodes(Image.open(io.BytesIO(image.screenshot())))
    assert [one.text for one in read] == [CARD_QR + after.credential]
    assert after.credential != before


def test_a_recall_is_opened_after_a_look_and_a_bottle_sent_to_inspection(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    recalled, due = bottles.on_card(cast.household(), phase="two_phase"), bottles.empty()
    page = browse.page(house.cookie_of(cast.clerk.principal_id))
    page.goto(house.at("/office/recalls"))
    page.get_by_role("link", name="发起召回").click()
    page.get_by_label("介质").select_option("two_phase")
    page.get_by_label("文号").fill("ZH-2024-8")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("符合的有 1 只")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-recall-look")
    page.get_by_role("button", name="发起召回").click()
    expect(page.locator("h1")).to_contain_text("ZH-2024-8")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-recall")
    page.get_by_role("button", name="已打钩的都通知").click()
    settling = page.get_by_role("link", name=f"了结 Settle {recalled.code}")
    settling.click()
    expect(settling).to_be_hidden()
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-recall-task")
    agency_id = str(bottles.agency_id)
    page.goto(house.at(f"/office/cylinders/{due.id}"))
    page.get_by_role("link", name="送检").click()
    page.get_by_label("检验机构").select_option(agency_id)
    page.get_by_label("为什么").select_option("due")
    page.get_by_label("单据编号").fill("SJ-8")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-send")
    page.get_by_role("button", name="送检").click()
    expect(page.locator("#where + p")).to_contain_text("检验机构")


def test_a_bottle_is_put_on_file_without_scripts(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    page = browse.page(house.cookie_of(cast.clerk.principal_id))
    page.goto(house.at("/office/register"))
    browse.is_accessible(page)
    browse.reflows(page)
    plain = browse.page(house.cookie_of(cast.clerk.principal_id), java_script_enabled=False)
    plain.goto(house.at("/office/register"))
    plain.get_by_label("使用登记代码").fill("31YLT888001")
    plain.get_by_label("皮重").fill("heavy")
    plain.get_by_role("button", name="建档").click()
    expect(plain.get_by_role("link", name="应为公斤数")).to_be_visible()
    browse.shot(plain, "office-register-faults")
    plain.get_by_label("型号").select_option("YSP35.5")
    plain.get_by_label("皮重").fill("16.5")
    plain.get_by_role("button", name="建档").click()
    expect(plain.locator("h1")).to_contain_text("气瓶档案")
    expect(plain.locator(".tags")).to_contain_text("不得供应")  # most of it is not known yet
    browse.shot(plain, "office-bottle-unknown")
    plain.get_by_role("link", name="补录档案").click()
    plain.get_by_label("设计使用年限").fill("eight")
    plain.get_by_label("依据哪种文书").fill("stamp-photo")
    plain.get_by_label("文书编号").fill("P-1")
    plain.get_by_role("button", name="补上").click()
    expect(plain.get_by_role("link", name="设计使用年限")).to_be_visible()
    page.goto(plain.url)
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-complete")
    plain.get_by_label("设计使用年限").fill("8")
    plain.get_by_label("使用登记日期").fill("2020-07-01")
    plain.get_by_role("button", name="补上").click()
    expect(plain.locator("#dates + dl")).to_contain_text("96 个月")
    expect(plain.locator("#why + ul")).not_to_contain_text("登记单位")


def test_a_register_is_sent_from_a_file_and_its_faults_are_read(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    """The form with a fault, the import under way and ended: each can be read, and the file fetched."""
    page = browse.page(house.cookie_of(cast.clerk.principal_id))
    page.goto(house.at("/office/imports"))
    sound = orjson.dumps(bottles.row())
    register = {"name": "register.jsonl", "mimeType": "application/jsonl", "buffer": sound + b"\n{\n"}
    page.locator("#file").set_input_files(register)
    page.get_by_label("JSONL").check()
    page.get_by_label("错的行放下").check()
    page.locator("#document").fill("no words, please")
    page.locator("#reference").fill("book-1")
    page.get_by_role("button", name="送上去").click()
    expect(page.locator("#document-fault")).to_be_visible()
    browse.is_accessible(page)
    browse.reflows(page)
    page.locator("#document").fill("ledger-2024")
    page.get_by_label("JSONL").check()
    page.locator("#file").set_input_files(register)
    page.get_by_role("button", name="送上去").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    browse.is_accessible(page)
    run_due_jobs(house.ground)
    page.reload()
    expect(page.locator("#live")).to_contain_text("已入账")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-import")
    with page.expect_download() as fetched:
        page.get_by_role("link", name="全部下载").click()
    assert "json" in fetched.value.path().read_text(encoding="utf-8-sig")

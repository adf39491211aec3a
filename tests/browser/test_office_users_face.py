"""The counter's main walk in a real browser: a user registered, the card printed, revealed, closed."""

import sqlalchemy as sa
from playwright.sync_api import expect

from core.sessions import SignedInBy
from registry.models import Account
from registry.premises_models import AccountClosing
from tests.browser.conftest import Browse, House
from tests.cast import Cast, made, resident_number
from tests.cylinders.cast import Bottles


def test_a_user_is_registered_revealed_and_closed_at_the_counter(house: House, browse: Browse) -> None:
    """With the keyboard's own order where it matters, on a screen and on the narrowest one."""
    cast = Cast(house.desk)
    Bottles(cast, certified=False)
    password = {
        "principal_id": str(cast.clerk.principal_id),
        "login": "clerk.one",
        "password": "a long password",
    }
    made(cast.admin.post("/api/v1/passwords", password))
    page = browse.page(house.cookie_of(cast.clerk.principal_id, SignedInBy.PASSWORD_AND_CODE))

    def looks_right(name: str) -> None:
        browse.is_accessible(page)
        browse.reflows(page)
        browse.shot(page, f"office-users-{name}")

    page.goto(house.at("/office/people/new"))
    looks_right("person")
    page.get_by_label("本人已看过这份告知书").check()
    page.get_by_label("证件号码").fill("12345")
    page.get_by_label("姓名").fill("柜台样例")
    page.get_by_label("手机号").fill("13800007777")
    page.get_by_role("button", name="登记，下一步").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("本人已看过这份告知书").check()
    page.get_by_label("证件号码").fill(resident_number(77))
    page.get_by_role("button", name="登记，下一步").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("在哪里用气")
    looks_right("place")
    place = {
        "地址": "样例市柜台路9弄9号901室",
        "街镇代码": "310105001",
        "村居代码": "310105001001",
        "经度": "121.41",
        "纬度": "31.215",
    }
    for label, text in place.items():
        page.get_by_label(label, exact=False).first.fill(text)
    page.select_option("#datum", "wgs84")
    page.select_option("#lift", "no")
    page.get_by_role("button", name="登记，下一步").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("用户和卡")
    page.get_by_label("申请日期").fill("2024-06-12")
    page.select_option("#cylinder_model", "YSP35.5")
    page.get_by_role("button", name="开户并发卡").click()
    expect(page.get_by_role("alert")).to_contain_text("A02")
    page.get_by_label("申请日期").fill("2023-07-31")
    page.select_option("#cylinder_model", "YSP35.5")
    page.get_by_role("button", name="开户并发卡").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("一户一档")
    looks_right("file")
    page.get_by_role("link", name="看卡面").click()
    expect(page.get_by_role("img", name="用气卡二维码")).to_be_visible()
    page.get_by_role("link", name="回到档案").click()
    page.get_by_role("link", name="查看打星号的信息").click()
    looks_right("reveal")
    for _ in range(2):
        page.get_by_label("电话").check()
        page.select_option("#reason", "safety")
        page.select_option("#purpose", "call")
        page.get_by_role("button", name="查看并记录").click()
        if page.get_by_role("link", name="再核对一次密码").is_visible():
            page.get_by_role("link", name="再核对一次密码").click()
            page.get_by_label("密码", exact=False).first.fill("a long password")
            page.get_by_role("button", name="核对").click()
    expect(page.get_by_role("status")).to_contain_text("13800007777")
    page.get_by_role("link", name="回到档案").click()
    page.get_by_role("link", name="本人要查阅").click()
    page.select_option("#kind", "copy")
    page.get_by_role("button", name="收下申请").click()
    looks_right("queue")
    page.get_by_label("怎么核对的").select_option("document_seen")
    page.get_by_role("button", name="打印一份交给本人").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("本人信息复印件")
    looks_right("copy")
    page.goto(house.at("/office/privacy-requests"))
    with house.ground.sessions() as db:
        household = db.scalars(sa.select(Account.household_id)).one()
    plain = browse.page(house.cookie_of(cast.clerk.principal_id), java_script_enabled=False)
    plain.goto(house.at(f"/office/households/{household}"))
    plain.get_by_text("退户", exact=False).first.click()
    plain.select_option("#why", "piped_gas")
    plain.get_by_label("申请或证明的编号").fill("TH-0612")
    plain.get_by_role("button", name="退户").click()
    expect(plain.locator(".tags")).to_contain_text("已注销")
    with house.ground.sessions() as db:
        assert db.scalars(sa.select(AccountClosing.reason)).one().value == "piped_gas"


def test_a_household_s_whole_file_is_read_on_a_screen_and_on_the_smallest_one(
    house: House, browse: Browse
) -> None:
    cast = Cast(house.desk)
    bottles = Bottles(cast)
    users = cast.household()
    bottles.on_card(users)
    page = browse.page(house.cookie_of(cast.clerk.principal_id))
    page.goto(house.at(f"/office/households/{users.household_id}"))
    page.get_by_role("link", name="看全卷").click()
    expect(page.locator("#bottles + div")).to_contain_text("现在在家")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "whole-file")
    with page.expect_download() as taken:
        page.get_by_role("link", name="下载").click()
    assert taken.value.suggested_filename.endswith(".json")
    page.goto(house.at(f"/office/households/{users.household_id}/equipment"))
    page.select_option("#equipment-kind", "hose")
    page.select_option("#material", "rubber")
    page.get_by_label("厂家").fill("样例胶管厂")
    page.get_by_label("型号").fill("R-13")
    page.get_by_label("安装日期").fill("2022-01-01")
    page.get_by_role("button", name="登记").click()
    expect(page.get_by_text("已过期")).to_be_visible()
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-equipment-of")
    page.goto(house.at("/office/equipment"))
    expect(page.get_by_role("table")).to_contain_text("橡胶")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-equipment")
    page.goto(house.at(f"/office/households/{users.household_id}/vulnerabilities"))
    page.select_option("#ground", "elderly_alone")
    page.get_by_label("自哪天起").fill("2024-06-01")
    page.get_by_label("凭据编号").fill("MZ-2024/7")
    page.get_by_role("button", name="列为重点户").click()
    expect(page.locator("article h2")).to_contain_text("独居老人")
    browse.is_accessible(page)
    browse.reflows(page)
    page.goto(house.at("/office/first-visits"))
    expect(page.get_by_role("table")).to_contain_text("该去了")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "office-first-visits")


def test_an_account_passes_on_by_two_people_at_the_counter(house: House, browse: Browse) -> None:
    cast = Cast(house.desk)
    users = cast.household()
    page = browse.page(house.cookie_of(cast.clerk.principal_id))

    def looks_right(name: str) -> None:
        browse.is_accessible(page)
        browse.reflows(page)
        browse.shot(page, f"office-{name}")

    page.goto(house.at(f"/office/households/{users.household_id}"))
    page.get_by_role("link", name="户内继承：去世或迁出").click()
    page.get_by_role("link", name="先登记由谁承接").click()
    page.get_by_label("本人已看过这份告知书").check()
    page.get_by_label("证件号码").fill(resident_number(78))
    page.get_by_label("姓名").fill("承接样例")
    page.get_by_label("手机号").fill("13800006666")
    page.get_by_role("button", name="登记，下一步").click()
    page.select_option("#ground", "died")
    page.select_option("#kinship", "spouse")
    page.get_by_label("去世或迁出凭据的编号").fill("SW-2024-1")
    page.get_by_label("同户凭据的编号").fill("HK-2024-1")
    looks_right("succession-of")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("article")).to_contain_text("待审批")
    page.get_by_role("link", name="待审批的").click()
    expect(page.get_by_text("要另一人审批")).to_be_visible()
    colleague = cast.clerk_of(cast.firm())
    page = browse.page(house.cookie_of(colleague.principal_id), java_script_enabled=False)
    page.goto(house.at("/office/successions"))
    page.get_by_role("button", name="批准").click()
    expect(page.get_by_text("没有待审批的")).to_be_visible()
    page = browse.page(house.cookie_of(colleague.principal_id))
    made(cast.clerk.post(cast.at(f"accounts/{cast.household().account_id}/successions"), _another(cast)))
    page.goto(house.at("/office/successions"))
    looks_right("successions")


def _another(cast: Cast) -> dict[str, str]:
    papers = {"ground": "moved_out", "kinship": "child", "evidence": "QC-1", "membership": "HK-2"}
    return {"person_id": str(cast.person())} | papers

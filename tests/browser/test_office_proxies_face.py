"""A proxy is identified, named by paper and ended at the counter, in a real browser and without scripts."""

import sqlalchemy as sa
from playwright.sync_api import expect

from registry.proxy_models import ProxyConsent
from tests.browser.conftest import Browse, House
from tests.cast import Cast, resident_number


def test_both_come_to_the_counter_and_a_proxy_is_named_and_ended(house: House, browse: Browse) -> None:
    cast = Cast(house.desk)
    home = cast.household()
    page = browse.page(house.cookie_of(cast.clerk.principal_id), java_script_enabled=False)

    def looks_right(name: str) -> None:
        seen = browse.page(house.cookie_of(cast.clerk.principal_id))
        seen.goto(page.url)
        browse.is_accessible(seen)
        browse.reflows(seen)
        browse.shot(seen, f"office-proxies-{name}")
        seen.close()

    page.goto(house.at(f"/office/households/{home.household_id}"))
    page.get_by_role("link", name="代办人").click()
    expect(page.get_by_text("现在没有代办人")).to_be_visible()
    page.get_by_role("link", name="先核验代办人的证件").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("代办人：核验是谁")
    page.get_by_label("本人已看过这份告知书").check()
    page.get_by_label("证件号码").fill(resident_number(78))
    page.get_by_label("姓名").fill("代办样例")
    page.get_by_label("手机号").fill("13800006666")
    page.get_by_role("button", name="登记，下一步").click()
    looks_right("form")
    page.get_by_label("在家收气").check()
    page.get_by_label("到哪天为止").fill("2024-12-31")
    page.get_by_label("双方签字的委托书编号").fill("WT-2024-8")
    page.get_by_role("button", name="登记代办人").click()
    expect(page.get_by_text("双方同意")).to_be_visible()
    looks_right("standing")
    page.get_by_role("button", name="结束这份委托").click()
    expect(page.get_by_text("现在没有代办人")).to_be_visible()
    with house.ground.sessions() as db:
        [consent] = db.scalars(sa.select(ProxyConsent))
    assert (consent.state.value, consent.may_book, consent.may_receive) == ("ended", False, True)

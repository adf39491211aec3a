"""The API's pages in a browser: read on a telephone, with the keyboard, without anything from elsewhere."""

from playwright.sync_api import expect

from tests.browser.conftest import Browse, House


def test_the_contents_lead_to_a_route(house: House, browse: Browse) -> None:
    page = browse.page()
    page.goto(house.at("/api/docs"))
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "api-contents")
    page.get_by_role("link", name="POST /api/v1/districts/{district}/orders", exact=True).click()
    expect(page.get_by_role("heading", name="预约订气 book a refill", exact=True)).to_be_in_viewport()


def test_a_room_is_readable_folded_and_unfolded(house: House, browse: Browse) -> None:
    page = browse.page()
    page.goto(house.at("/api/docs/orders"))
    browse.is_accessible(page)
    browse.reflows(page)
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "api-orders")


def test_an_example_is_unfolded_with_the_keyboard(house: House, browse: Browse) -> None:
    page = browse.page(java_script_enabled=False)
    page.goto(house.at("/api/docs/orders"))
    page.locator("summary", has_text="例子").first.focus()
    page.keyboard.press("Enter")
    example = page.get_by_role("region", name="例子 Example: GET /api/v1/districts/{district}/slots")
    expect(example).to_contain_text("curl -X GET")

"""The page in a browser, with two plugins as real processes behind it."""

import json
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.web.browser import Browser, Stage, Tab
from tests.web.conftest import Console
from tests.web.site import GREETER_ID, WORKSHOP_ID

pytestmark = pytest.mark.browser

POST = "#channel [data-testid=post]"
MESSAGE = "#channel [data-testid=message]"
IN_THREAD = "#thread [data-testid=message]"


def entry(kind: str, name: str) -> str:
    return f'[data-testid=entry][data-kind={kind}][data-name="{name}"]'


def test_a_greeting_appears(page: Tab) -> None:
    page.write("Hello there")
    page.see(MESSAGE, "Hello there")
    assert page.find(f'{MESSAGE} [aria-label=":wave:"]').text == "👋"
    assert page.labelled("Write to lounge").get_property("value") == ""


def test_a_thread(page: Tab) -> None:
    page.write("one")
    page.see(MESSAGE, "one")
    page.click_tool("Reply in thread")
    page.write("two", "Reply to the thread")
    page.see(IN_THREAD, "two")
    page.see(f"{POST} .replies", "1 reply")
    assert page.texts(MESSAGE) == ["one"]
    page.labelled("Reply to the thread").send_keys(Keys.ESCAPE)
    page.miss("#thread")
    page.click(f"{POST} .replies")
    page.see(IN_THREAD, "two")


def test_reactions(page: Tab) -> None:
    page.write("one")
    page.click_tool("Add a reaction")
    page.click('#emoji [aria-label="tada"]')
    reaction = page.labelled("tada, 1")
    assert reaction.get_attribute("aria-pressed") == "true"
    page.click('[aria-label="tada, 1"]')
    page.miss(".reaction")
    page.click_tool("Add a reaction")
    page.labelled("Emoji name").send_keys("party_parrot", Keys.ENTER)
    page.see(".reaction", ":party_parrot: 1")


def test_a_slash_command_by_keyboard(page: Tab) -> None:
    box = page.write("/sho", send=False)
    page.see("[role=option] b", "shop")
    page.see("[role=option] i", "[command]")
    box.send_keys(Keys.TAB)
    page.see("[role=option] i", "[colour] [what]")
    assert box.get_property("value") == "/shop "
    box.send_keys("p")
    page.wait(lambda: page.texts("[role=option] b") == ["paint"], "other commands are offered")
    box.send_keys(Keys.ARROW_DOWN)
    page.wait(lambda: box.get_attribute("aria-activedescendant"), "nothing is active")
    page.wait(lambda: page.texts("[role=option][aria-selected=true] b") == ["paint"], "it is not paint")
    box.send_keys(Keys.ENTER)
    page.see("[role=option]", "red")
    box.send_keys(Keys.ARROW_UP)
    page.wait(lambda: page.texts("[role=option][aria-selected=true] b") == ["red"], "it is not red")
    box.send_keys(Keys.ENTER)
    page.see("[role=option]", "[what]")
    assert box.get_property("value") == "/shop paint red "
    box.send_keys("the door", Keys.ENTER)
    page.see(MESSAGE, "Painted the door red.")
    assert page.find(f"{MESSAGE} strong").text == "red"
    assert box.get_attribute("aria-expanded") == "false"


def test_answers_of_commands(page: Tab, console: Console) -> None:
    page.write("/tidy")
    page.see(".post.ephemeral", "It is tidy already.")
    page.see(".post.ephemeral", "only visible to you")
    page.see(".toast a", "/plugins/x")
    console.allow("/api/commands - Failed to load resource: the server responded with a status of 400")
    box = page.write("/shop x")
    page.see("[role=alert]", "The workshop does not know that.")
    assert box.get_property("value") == "/shop x"


def test_a_refused_post_says_why(page: Tab, console: Console) -> None:
    console.allow("/api/posts - Failed to load resource: the server responded with a status of 400")
    box = page.write("WHO ATE MY LUNCH")
    page.see("[role=alert]", "Please do not shout.")
    assert box.get_property("value") == "WHO ATE MY LUNCH"
    box.clear()
    page.write("<b>no</b>")
    page.see("[role=alert]", "<b>not</b> allowed")
    box.clear()
    page.write("whisper")
    page.see("[role=status]", "A plugin dropped the post")
    assert page.texts(MESSAGE) == []


def test_a_plugins_route_in_a_tab_that_knows_nothing(page: Tab, stage: Stage) -> None:
    page.labelled("Route of Greeter").send_keys("/hello")
    page.click('[aria-label="Open Greeter"]')
    driver = page.driver
    page.wait(lambda: len(driver.window_handles) == 3, "no tab opens")
    tab = Tab(
        driver, next(each for each in driver.window_handles if each not in (page._handle, driver.window_handles[0]))
    )
    tab.see("body", f"Hello, {stage.ada.id}!")
    assert tab.run("return [window.opener, location.hash, document.referrer]") == [None, "", ""]
    assert "MMAUTHTOKEN" not in tab.run("return document.cookie")
    text = tab.run("return await (await fetch('/')).text()")
    assert stage.link.partition("#key=")[2] not in text


def test_what_a_plugins_page_can_do_to_the_front(page: Tab, stage: Stage, console: Console) -> None:
    console.allow("/api/users - Failed to load resource: the server responded with a status of 403")
    # Even where the page with the key was before: browsers hide an address with such a referrer policy.
    page.driver.get(f"{stage.link.partition('#')[0]}plugins/{WORKSHOP_ID}/page")
    assert page.find("h1").text == "Open"
    assert page.run("return (await fetch('/api/users')).status") == 403
    known = page.run("return JSON.stringify([navigation.entries().map((each) => each.url), document.referrer])")
    assert "workshop/page" in known
    assert stage.link.partition("#key=")[2] not in known
    console.allow("Failed to register a ServiceWorker", "maximum scope allowed", "/api/feed")
    console.allow("The script has an unsupported MIME type")
    register = (
        "return navigator.serviceWorker.register('page', { scope: '/' }).then(() => 'done', (error) => error.name)"
    )
    assert page.run(register) == "SecurityError"


def test_the_live_list(page: Tab) -> None:
    page.write("Hello")
    page.see(entry("hook", "MessageWillBePosted"), "greeter")
    page.see(entry("api", "KVSet"), "workshop")
    page.see(entry("event", "posted"), "to one channel")
    page.click(f"{entry('api', 'KVSet')} summary")
    page.see("[data-testid=arguments]", '"key": "posts"')
    page.labelled("Filter the activity").send_keys("willbe greeter")
    page.miss(entry("api", "KVSet"))
    page.find(entry("hook", "MessageWillBePosted"))
    page.labelled("Filter the activity").clear()
    page.labelled("Filter the activity").send_keys(" ")
    page.find(entry("api", "KVSet"))
    page.click("#kinds label:nth-child(2)")
    page.miss(entry("api", "KVSet"))
    page.click("#clear")
    page.miss("[data-testid=entry]")


def test_a_crash_and_a_restart(page: Tab) -> None:
    card = f'[data-plugin="{WORKSHOP_ID}"]'
    page.see(f"{card} .chip", "running")
    page.write("crash the workshop")
    page.see(f"{card} .chip", "failed to stay running")
    page.see(f"{card} [data-testid=plugin-error]", "exit code 3")
    page.see(entry("plugin", "FAILED_TO_STAY_RUNNING"), "exit code 3")
    page.see(MESSAGE, "crash the workshop")
    page.see('[data-plugin="com.example.greeter"] .chip', "running")
    page.click('[aria-label="Restart Workshop"]')
    page.see(f"{card} .chip", "running")
    page.miss("[data-testid=plugin-error]")
    page.click('[aria-label="Disable Workshop"]')
    page.see(f"{card} .chip", "not running")
    page.click('[aria-label="Enable Workshop"]')
    page.see(f"{card} .chip", "running")


def test_two_tabs_see_each_others_posts(page: Tab, browser: Browser, stage: Stage) -> None:
    other = browser.open(f"{stage.link}&user={stage.bob.id}&channel={stage.lounge.id}")
    other.write("from bob")
    page.see(MESSAGE, "from bob")
    page.see(f"{POST} .byline", "bob")
    page.write("from ada")
    other.see(MESSAGE, "from ada")
    other.choose("Message somebody", "ada")
    other.write("secret", "Write to ada")
    page.see(".place.unread", "bob")
    page.click(".place.unread")
    page.see(MESSAGE, "secret")


def test_own_posts_are_edited_and_deleted(page: Tab, browser: Browser, stage: Stage) -> None:
    page.write("first")
    page.click_tool("Edit the post")
    area = page.labelled("Edit the message")
    area.clear()
    area.send_keys("second")
    page.click(f"{POST} form .primary")
    page.see(MESSAGE, "second")
    page.see(f"{POST} .byline", "edited")
    other = browser.open(f"{stage.link}&user={stage.bob.id}&channel={stage.lounge.id}")
    other.see(MESSAGE, "second")
    assert other.driver.find_elements("css selector", '[aria-label="Delete the post"]') == []
    page.click_tool("Delete the post")
    page.wait(lambda: "Really delete?" in page.texts('[aria-label="Delete the post"]'), "it does not ask")
    page.click_tool("Delete the post")
    page.miss(MESSAGE)
    other.miss(MESSAGE)


def test_files(page: Tab, browser: Browser, tmp_path: Path, console: Console) -> None:
    (tmp_path / "note.txt").write_text("a note")
    (tmp_path / "tool.exe").write_text("MZ")
    picker = page.driver.find_element("css selector", "#channel input[type=file]")
    picker.send_keys(str(tmp_path / "note.txt"))
    page.see(".composer .file", "note.txt")
    console.allow("name=tool.exe - Failed to load resource: the server responded with a status of 400")
    picker.send_keys(str(tmp_path / "tool.exe"))
    page.see("[role=alert]", "Programs are not welcome here.")
    page.write("look")
    page.click('[aria-label="Download note.txt"]')
    file = browser.downloads / "note.txt"
    page.wait(file.exists, "nothing is downloaded")
    assert file.read_text() == "a note\n-- signed by the greeter\n"


def test_buttons_and_a_dialog(page: Tab) -> None:
    page.write("/shop vote")
    page.see("[data-testid=attachment]", "Which colour?")
    page.click("[data-testid=attachment] .primary")
    page.see(MESSAGE, "ada wants red, number 7.")
    page.see(".post.ephemeral", "Thank you!")
    page.write("/shop order")
    page.find("dialog [name=what]").send_keys("nothing", Keys.ENTER)
    page.see("dialog .error", "Order something.")
    page.find("dialog [name=what]").clear()
    page.find("dialog [name=what]").send_keys("a door")
    page.click("dialog [name=urgent]")
    page.click("dialog .primary")
    page.miss("dialog")
    page.see(MESSAGE, "Ordered a door, urgent: True")


def test_html_is_text(page: Tab, stage: Stage, console: Console) -> None:
    attack = "<img src=x onerror=window.hacked=1> **<b>bold</b>** [x](javascript:window.hacked=1)"
    page.write(attack)
    page.see(MESSAGE, "<img src=x onerror=window.hacked=1>")
    stage.call(stage.host.act.create_user("evil", first_name="<script>window.hacked=1</script>"))
    assert page.run("return window.hacked") is None
    assert page.texts(f"{MESSAGE} strong") == ["<b>bold</b>"]
    assert page.texts(f"{MESSAGE} a") == []
    console.allow("requires 'TrustedHTML' assignment")
    blocked = page.run(
        "try { document.body.innerHTML = '<b>x</b>'; return 'set'; } catch (error) { return error.name; }"
    )
    assert blocked == "TypeError"


def test_markdown(page: Tab, stage: Stage) -> None:
    text = "**a** _b_ `c` ~~d~~ https://x.example/?q=1\n- one\n- two\n\n> said\n\n```py\nif x:\n  y\n```\n# T"
    stage.call(stage.host.act.post(stage.bob.id, stage.lounge.id, text))
    page.see(f"{MESSAGE} strong", "a")
    for selector, shown in (("em", "b"), ("p code", "c"), ("s", "d"), ("blockquote", "said"), ("h3", "T")):
        assert page.texts(f"{MESSAGE} {selector}") == [shown]
    assert page.texts(f"{MESSAGE} li") == ["one", "two"]
    assert page.texts(f"{MESSAGE} pre") == ["if x:\n  y"]
    link = page.find(f"{MESSAGE} a")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == ("https://x.example/?q=1", "noopener noreferrer")


def test_a_login_may_be_refused(page: Tab, stage: Stage, console: Console) -> None:
    stage.call(stage.host.act.create_user("mallory"))
    console.allow("/api/login - Failed to load resource: the server responded with a status of 400")
    page.choose("Act as", "mallory")
    page.see("#user-error", "This account is closed.")
    page.choose("Act as", "bob")
    page.miss("#user-error")
    page.see(".composer .hint", "as bob")
    page.write("still here")
    page.see(f"{POST} .byline", "bob")


def test_the_page_goes_on_after_a_restart(page: Tab, stage: Stage, console: Console) -> None:
    page.write("before")
    page.see(MESSAGE, "before")
    console.allow("WebSocket connection to", "net::ERR_CONNECTION_REFUSED", "status of 401")
    stage.stop()
    page.see("#live", "Reconnecting")
    stage.start_again()
    page.see("#live", "Live")
    page.see(".gap", "The host was restarted.")
    page.write("Hello, after")
    page.see(MESSAGE, "Hello, after")
    assert page.texts(MESSAGE)[0] == "before"
    page.driver.refresh()
    page.see(MESSAGE, "Hello, after")


def test_without_the_key_nothing_is_shown(browser: Browser, stage: Stage, console: Console) -> None:
    base = stage.link.partition("#")[0]
    for link in (base, f"{base}#key=wrong"):
        tab = browser.open(link)
        console.allow("/api/users - Failed to load resource: the server responded with a status of 403")
        tab.see("#locked", "This page needs its key")
        tab.miss("#app")
    tab.driver.get(stage.link)
    tab.see("#live", "Live")


def test_a_host_without_anybody(browser: Browser, tmp_path: Path) -> None:
    empty = Stage(tmp_path, people=False)
    try:
        tab = browser.open(empty.link)
        tab.see("#channel", "There is no user to act as")
        tab.see("#plugins", "No plugin is installed")
        ada = empty.call(empty.host.act.create_user("ada"))
        tab.see("#channel", "ada is in no channel")
        team = empty.call(empty.host.act.create_team("crew"))
        empty.call(empty.host.act.join_team(team.id, ada.id))
        tab.see("#places", "Town Square")
        tab.see("#channel", "There are no posts yet")
    finally:
        browser.close_tabs()
        empty.close()


def test_a_join_and_a_leave(page: Tab, stage: Stage) -> None:
    stage.call(stage.host.act.create_channel(stage.team.id, "garden", creator_id=stage.bob.id))
    page.see(".place.outside", "garden (join)")
    page.click(".place.outside")
    page.see("#channel h1", "garden")
    page.click("#channel .bar .button")
    page.see(".place.outside", "garden (join)")


def test_everything_has_a_name(page: Tab) -> None:
    page.write("one")
    page.click_tool("Reply in thread")
    unnamed = page.run(
        """const text = (each) => each?.textContent.trim();
        return [...document.querySelectorAll("button, input, select, textarea, a")]
          .filter((each) => !(each.ariaLabel || text(each) || text(each.closest("label"))))
          .map((each) => each.outerHTML)"""
    )
    assert unnamed == []
    ids = page.run("return [...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(set(ids)) == len(ids)


def test_ids_in_details_are_json(page: Tab) -> None:
    page.write("Hello")
    page.click(f"{entry('hook', 'MessageWillBePosted')}[data-plugin='{GREETER_ID}'] summary")
    page.see("[data-testid=result]", "modified_post")
    arguments = page.find("[data-testid=arguments]").text.partition("\n")[2]
    assert json.loads(arguments)["post"]["message"] == "Hello"

"""Drives the demo page and the sandbox's pages in a real browser, against the real program.

Usage: browser_test.py VAULT PLUGINS [ARTEFACTS]. Leaves screenshots in ARTEFACTS (default: .build/artefacts).
Exit status 0: all promises held; 77: it cannot run here.
"""

import os
import re
import shutil
import sys
import tempfile

from other_origin import Frontend, check_frontend
from page_checks import check
from page_states import check_patience, check_states, check_two_tabs, ends
from person import Person
from second_provider import SecondProvider
from vault_process import Browser, Vault, bearer

LOOKS = [(size, scheme) for size in ((1280, 860), (360, 760)) for scheme in ("light", "dark")]


def missing():
    """Why it cannot run here, or None."""
    if chromium() is None:
        return "chromium is not installed (Debian: apt-get install chromium)"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "the Python package playwright is not installed (make test puts it into .build/e2e-venv)"
    return None


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


def good_at(provider, token):
    return Browser().call("GET", provider + "/userinfo", headers=bearer(token))[0] == 200


def check_whole_visit(person):
    """Connect, token, refresh, a second platform, disconnect, log out, and back again."""
    person.open()
    person.look_at("page-out", 4)
    provider = person.connect("Sandbox", "ada", look=True)
    person.look_at("page-connected", 6)

    person.button("Get a Sandbox token").click()
    person.told("Here is the token.")
    field = person.page.get_by_label("Sandbox access token")
    first = person.token("Sandbox")
    assert good_at(provider, first), "the token is not good at the provider"
    assert "•" in field.input_value() and field.input_value() != first, "a token is hidden until asked for"
    person.button("Copy the Sandbox token").click()
    person.told("Copied.")
    assert person.page.evaluate("() => navigator.clipboard.readText()") == first
    person.look_at("page-token", 9)

    person.button("Refresh the Sandbox token").click()
    person.told("Refreshed.")
    second = person.token("Sandbox")
    assert second != first and good_at(provider, second), "a refresh must bring another good token"

    person.page.reload()
    person.page.get_by_role("heading", name="Your connections").wait_for()
    assert second not in person.page.content(), "a token must not survive a reload"

    user = person.me()["user"]
    listener = f"clara-{person.look}"
    radio = person.connect("Radio", listener)
    assert radio != provider
    me = person.me()
    assert me["user"] == user and {one["platform"] for one in me["connections"]} == {"sandbox", "radio"}, me
    person.look_at("page-two", 9)

    check_disconnect(person, provider, second)
    before = person.session()
    person.button("Renew session").click() if "desktop" in person.look else person.button("Renew").click()
    person.told("The session is renewed.")
    after = person.session()
    assert after != before and ends(person, before), "the old session ends with the new one"

    person.button("Log out").click()
    person.told("You are logged out.")
    assert person.session() is None and ends(person, after)
    person.connect("Radio", listener)
    assert person.me()["user"] == user, "the same account must find its user again"


def check_disconnect(person, provider, token):
    person.button("Disconnect Sandbox").click()
    dialog = person.page.get_by_role("dialog", name="Disconnect Sandbox?")
    dialog.wait_for()
    check(person.page, f"dialog ({person.look})")
    person.page.screenshot(path=os.path.join(person.artefacts, f"page-dialog-{person.look}.png"))
    keep = dialog.get_by_role("button", name="Keep it")
    assert keep.evaluate("e => e === document.activeElement"), "no is the default"
    person.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert good_at(provider, token), "Escape means no"
    focused = person.page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    assert focused == "Disconnect Sandbox", f"the focus went to {focused}"
    person.page.keyboard.press("Enter")
    dialog.wait_for()
    # Closed and open again before the page hears that it closed: what is answered then counts, and once.
    person.page.evaluate('''() => {
        document.getElementById("confirm").close("no");
        document.querySelector('[aria-label="Disconnect Sandbox"]').click();
    }''')
    dialog.get_by_role("button", name="Disconnect", exact=True).click()
    person.told("Sandbox is disconnected.")
    person.told("Sandbox revoked the grant")
    person.button("Connect Sandbox").wait_for()
    assert not good_at(provider, token), "the provider was not told"


def check_what_goes_wrong(person):
    person.open()
    person.connect("Sandbox", "ada", decision="Deny", told="You said no at Sandbox.")
    assert person.session() is None
    person.picture("page-denied")

    # A link somebody sends: their session must not become this tab's.
    person.page.goto(person.vault.url + "/#session=eyJhbGciOiJIUzI1NiJ9.e30.x&platform=sandbox")
    person.told("A link tried to log you in as somebody.")
    assert person.session() is None and "#" not in person.page.url
    person.page.goto(person.vault.url + "/#error=%3Cimg%20src=x%3E&platform=%3Cb%3E")
    person.told("The login did not finish.")
    assert person.page.locator("#notice img, #notice b").count() == 0, "an error is never markup"

    # Named like a fault, the sandbox's user gets it at each refresh.
    person.connect("Sandbox", "rate-limited")
    person.button("Refresh the Sandbox token").click()
    person.page.locator("#notice[data-kind=wait]").wait_for()
    person.look_at("page-trouble", 6)
    person.page.reload()
    person.button("Get a Sandbox token").wait_for()

    # An account is refused, not moved, when somebody else has it.
    person.connect("Radio", "clara-desktop-light", told="That Radio account belongs to somebody else here.")
    assert [one["platform"] for one in person.me()["connections"]] == ["sandbox"]

    assert Browser().call("DELETE", person.vault.url + "/auth/session", headers=bearer(person.session()))[0] == 204
    person.button("Get a Sandbox token").click()
    person.told("Your session has ended.")
    person.button("Connect Sandbox").wait_for()
    assert person.session() is None


def check_by_keyboard(person):
    """The whole way without a mouse."""
    person.open()
    press = person.page.keyboard.press

    def reach(name):
        for _ in range(40):
            press("Tab")
            if person.page.evaluate(
                    "name => document.activeElement !== document.body && (document.activeElement"
                    ".getAttribute('aria-label') ?? document.activeElement.textContent).includes(name)", name):
                return press("Enter")
        raise AssertionError(f"{name} is not reached by Tab")

    reach("Connect Sandbox")
    person.page.get_by_role("heading", name="Sign in").wait_for()
    reach("Duke Ellington")
    person.page.get_by_role("heading", name="Allow access?").wait_for()
    reach("Allow")
    person.told("Sandbox is connected.")
    reach("Get a Sandbox token")
    person.told("Here is the token.")
    reach("Log out")
    person.told("You are logged out.")


def main(program, plugins, artefacts=None):
    reason = missing()
    if reason:
        print("skipped:", reason)
        return 77
    from playwright.sync_api import sync_playwright

    here = os.path.dirname(os.path.abspath(__file__))
    artefacts = artefacts or os.path.normpath(os.path.join(here, "../../../.build/artefacts"))
    os.makedirs(artefacts, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vault-browser-") as folder, sync_playwright() as playwright:
        radio = SecondProvider(program, folder)
        vault = Vault(program, plugins, folder, radio.platform,
                      arguments=["--sandbox", "--demo", "--sandbox-port", "0"])
        try:
            radio.start(vault)
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"])
            for size, scheme in LOOKS:
                # A vault of its own for each: the limit on logins per minute holds here too.
                run(browser, vault, artefacts, size, scheme, check_whole_visit)
            run(browser, vault, artefacts, *LOOKS[0], check_what_goes_wrong)
            run(browser, vault, artefacts, *LOOKS[0], check_by_keyboard)
            run(browser, vault, artefacts, *LOOKS[0], check_two_tabs)
            run(browser, vault, artefacts, *LOOKS[0], check_patience)
            run(browser, vault, artefacts, *LOOKS[3], check_states)
            for delivery in ("fragment", "code", "cookie"):
                run_frontend(program, plugins, browser, folder, artefacts, delivery)
            browser.close()
        finally:
            radio.stop()
    return 0


def run(browser, vault, artefacts, size, scheme, scenario):
    with vault:
        person = Person(browser, vault, artefacts, size, scheme)
        try:
            scenario(person)
            person.done()
        except Exception:
            picture = f"failed-{scenario.__name__}-{person.look}.png"
            person.page.screenshot(path=os.path.join(artefacts, picture), full_page=True)
            said = person.page.locator("#notice").all_text_contents()
            print(f"failed in {scenario.__name__} ({person.look}); see {picture}; the page says: {said}\n{vault.tail()}")
            raise
        assert vault.stop() == 0, "SIGTERM must end it cleanly"
        with open(vault.log, encoding="utf-8") as log:
            text = log.read()
        assert not re.search(r"eyJ|s[ar]t_|sandbox-secret|radio-secret", text), "a secret is in the log"
    print(f"ok {scenario.__name__[6:].replace('_', ' ')} ({person.look})")


def run_frontend(program, plugins, browser, folder, artefacts, delivery):
    """The module in another frontend, which has an origin of its own and gets its session in each way."""
    place = os.path.join(folder, delivery)
    os.mkdir(place)
    with Frontend() as frontend:
        arguments = ["--sandbox", "--demo", "--sandbox-port", "0", "--session-delivery", delivery]
        with Vault(program, plugins, place, lambda _: "", frontend=frontend.url, arguments=arguments) as vault:
            frontend.uses(vault, delivery)
            person = Person(browser, vault, artefacts, *LOOKS[0])
            try:
                check_frontend(person.page, frontend, delivery)
                person.done()
            except Exception:
                print(f"failed with the delivery {delivery}\n{vault.tail()}")
                raise
    print(f"ok another frontend on client.js ({delivery})")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

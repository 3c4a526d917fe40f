"""Somebody at a screen: a real browser, and everything that must not happen in it written down."""

import copy
import json
import os
import re

from page_checks import check, check_focus
from vault_process import Browser, bearer


class Person:
    """Somebody at a screen: a browser context with everything it must not do written down."""

    def __init__(self, browser, vault, artefacts, size, scheme):
        self.vault, self.artefacts = vault, artefacts
        self.look = f"{'phone' if size[0] < 600 else 'desktop'}-{scheme}"
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"], device_scale_factor=2 if size[0] < 600 else 1)
        self.context.set_default_timeout(20_000)
        self.faults = []
        self._turn_to(self.context.new_page())

    def _turn_to(self, page):
        self.page = page
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)

    def tab(self):
        """The same person in another tab."""
        other = copy.copy(self)
        other._turn_to(self.context.new_page())
        other.page.goto(self.vault.url + "/")
        return other

    def _console(self, message):
        # An answer of 4xx is reported by the browser itself and is told to the person by the page.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _request(self, request):
        if not re.match(r"http://127\.0\.0\.1:\d+/|data:|blob:", request.url):
            self.faults.append(f"left this machine: {request.url}")
        # A session is a JWT, which has dots. These are random and have none, and one in sixty runs of all this has
        # one that begins like a JWT somewhere.
        rest = re.sub(r"(?<=[?&])(state|code|code_challenge|nonce)=[\w-]+(?=&|$)", "", request.url)
        if "session=" in rest or "eyJ" in rest:
            self.faults.append("a session went into a request's URL")

    def open(self):
        self.page.goto(self.vault.url + "/")
        self.button("Connect Sandbox").wait_for()

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def told(self, text):
        self.page.get_by_role("status").get_by_text(text).wait_for()

    def look_at(self, name, tab_stops):
        """Checks the page as it is, and keeps a picture of it."""
        check(self.page, f"{name} ({self.look})")
        check_focus(self.page, f"{name} ({self.look})", tab_stops)
        self.picture(name)

    def picture(self, name):
        self.page.evaluate(
            "() => { const e = document.activeElement; if (e?.readOnly) e.setSelectionRange(0, 0); e?.blur();"
            " scrollTo(0, 0); }")
        self.page.screenshot(path=os.path.join(self.artefacts, f"{name}-{self.look}.png"), full_page=True)

    def connect(self, platform, name, decision="Allow", look=False, told=None):
        self.button(f"Connect {platform}").click()
        self.page.get_by_role("heading", name="Sign in").wait_for()
        if look:
            self.look_at("sandbox-login", 6)
        provider = re.match(r"http://[^/]+", self.page.url)[0]
        if name == "ada":
            self.page.get_by_role("button", name="Ada Lovelace").press("Enter")
        else:
            self.page.get_by_label("Any name").fill(name)
            self.page.keyboard.press("Enter")
        self.page.get_by_role("heading", name="Allow access?").wait_for()
        if look:
            self.look_at("sandbox-consent", 4)
        self.page.get_by_role("button", name=decision, exact=True).click()
        self.told(told or f"{platform} is connected.")
        assert self.page.url == self.vault.url + "/", f"the address bar still says {self.page.url}"
        return provider

    def session(self):
        kept = self.page.evaluate("() => sessionStorage.getItem('vault.session')")
        return kept and json.loads(kept)["value"]

    def has_session(self, session):
        """Waits until this tab has it."""
        self.page.wait_for_function(
            "session => JSON.parse(sessionStorage['vault.session'] ?? '{}').value === session", arg=session)

    def me(self):
        status, _, answer = Browser().call("GET", self.vault.url + "/auth/session", headers=bearer(self.session()))
        assert status == 200, answer
        return answer

    def token(self, platform):
        """What the page shows when asked to."""
        self.button(f"Show the {platform} token").click()
        value = self.page.get_by_label(f"{platform} access token").input_value()
        self.button(f"Show the {platform} token").click()
        return value

    def done(self):
        assert not self.faults, f"{self.look}:\n  " + "\n  ".join(self.faults)
        self.context.close()

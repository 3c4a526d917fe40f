"""The demo page and client.js over time: several tabs, a session that is renewed, a vault that asks for patience."""

import json

from vault_process import Browser, bearer

PROBLEM = {"type": "urn:vault:problem:x", "title": "x", "status": 503, "detail": "x", "instance": "urn:x"}


def ends(person, session):
    return Browser().call("GET", person.vault.url + "/auth/session", headers=bearer(session))[0] == 401


def refuses(page, path, code, times, seconds=1):
    """Answers that many requests with 503; returns the list that counts all of them."""
    seen = []

    def answer(route):
        seen.append(route.request.method)
        if len(seen) > times:
            return route.continue_()
        return route.fulfill(status=503, headers={"Retry-After": str(seconds)}, content_type="application/problem+json",
                             body=json.dumps({**PROBLEM, "code": code}))

    page.route("**" + path, answer)
    return seen


def check_two_tabs(person):
    """One login, one renewal, one log out: both tabs see each."""
    # A clock that can be moved, in every tab.
    person.context.clock.install()
    # What one tab tells the others comes after the lock it leaves, as it sometimes does.
    person.context.add_init_script("""{
        const post = BroadcastChannel.prototype.postMessage;
        BroadcastChannel.prototype.postMessage = function (news) {
            setTimeout(() => post.call(this, news), news.kind === "session" ? 20 : 0);
        };
    }""")
    person.open()
    person.connect("Sandbox", "ada")
    other = person.tab()
    other.page.get_by_role("heading", name="Your connections").wait_for()
    first = person.session()
    assert other.session() == first, "the other tab must have the same session, without a login"

    person.button("Renew session").click()
    person.told("The session is renewed.")
    assert person.session() != first and ends(person, first)
    other.has_session(person.session())
    other.button("Get a Sandbox token").click()
    other.told("Here is the token.")

    renewals = []
    person.context.on("request", lambda request: renewals.append(request.url) if request.url.endswith(
        "/auth/session/refresh") and request.method == "POST" else None)
    before = person.session()
    person.context.clock.fast_forward("09:30:00")
    assert person.session() == before and not renewals, "it is renewed when four fifths are over, not before"
    person.context.clock.fast_forward("00:10:00")
    person.page.wait_for_function("before => JSON.parse(sessionStorage['vault.session']).value !== before", arg=before)
    other.has_session(person.session())
    assert len(renewals) == 1, f"two tabs renewed {len(renewals)} times"
    assert ends(person, before) and person.me()["user"]
    assert person.page.locator("#notice[data-kind=bad]").count() == 0, "nobody needs to know"

    other.button("Disconnect Sandbox").click()
    other.page.get_by_role("dialog").get_by_role("button", name="Disconnect", exact=True).click()
    other.told("Sandbox is disconnected.")
    person.button("Connect Sandbox").wait_for()
    last = person.session()
    other.button("Log out").click()
    other.told("You are logged out.")
    person.told("You are logged out.")
    assert person.session() is None and ends(person, last)
    third = person.tab()
    third.button("Connect Sandbox").wait_for()
    assert third.session() is None


def check_patience(person):
    """What passes by itself is tried again and told meanwhile; what takes long is told at once."""
    person.open()
    person.connect("Sandbox", "ada")
    seen = refuses(person.page, "/auth/sandbox/token", "retry", 2)
    person.button("Get a Sandbox token").click()
    person.told("Sandbox does not answer as it should right now.")
    person.picture("page-waiting")
    person.told("Here is the token.")
    assert seen == ["GET"] * 3, seen
    person.page.unroute_all()

    seen = refuses(person.page, "/auth/sandbox/refresh", "platform-unavailable", 1, seconds=60)
    person.button("Refresh the Sandbox token").click()
    person.told("Sandbox is not available here right now.")
    assert seen == ["POST"], seen
    person.page.unroute_all()


def check_states(person):
    """A dead grant and an unsure one: each says what it is and has the one button that helps."""
    person.open()
    # Named like a fault, the user gets it at the first refresh.
    person.connect("Sandbox", "revoked")
    person.button("Refresh the Sandbox token").click()
    person.told("Sandbox no longer accepts this grant.")
    again = person.button("Connect Sandbox again")
    again.wait_for()
    assert person.page.get_by_role("button", name="Refresh the Sandbox token").count() == 0
    person.look_at("page-reconnect", 6)
    again.click()
    person.page.get_by_role("heading", name="Sign in").wait_for()
    person.page.go_back()
    again.wait_for()

    person.button("Log out").click()
    person.told("You are logged out.")

    # The provider did nothing and hung up: the check finds the grant alive.
    provider = person.connect("Sandbox", "ada")
    check = in_doubt(person, provider, "dropped")
    person.look_at("page-uncertain", 6)
    check.click()
    person.told("Refreshed.")
    person.button("Refresh the Sandbox token").wait_for()
    assert person.me()["connections"][0]["health"] == "healthy"
    # It did its part, and the answer was lost: the check finds the grant dead.
    in_doubt(person, provider, "lost-answer").click()
    person.told("Sandbox no longer accepts this grant.")
    again.wait_for()
    assert person.me()["connections"][0]["health"] == "reconnect"


def in_doubt(person, provider, fault):
    """Has a refresh end in doubt, and returns the button that helps."""
    change = {"misbehave": [{"fault": fault, "at": "refresh", "times": 1}]}
    status, _, answer = Browser().call("POST", provider + "/control", body=change)
    assert status == 200, answer
    path = person.vault.url + "/auth/sandbox/refresh"
    status, _, answer = Browser().call("POST", path, headers=bearer(person.session()))
    assert (status, answer["code"]) == (503, "retry"), answer
    assert person.me()["connections"][0]["health"] == "uncertain"
    person.page.reload()
    check = person.button("Check now what became of Sandbox")
    check.wait_for()
    return check

"""A frontend of somebody else's, on an origin of its own, built on the vault's client.js as it is."""

import http.server
import json
import threading

PAGE = """<!doctype html>
<html lang="en"><title>Frontend</title><h1>Frontend</h1><script type="module" src="/own.js"></script></html>
"""

SCRIPT = """
import { VaultClient } from "%(vault)s/client.js";
const vault = new VaultClient({ baseURL: "%(vault)s", delivery: "%(delivery)s" });
const back = await vault.handleReturn();
window.ready = { vault, back };
"""


class Frontend:
    """Serves the page; a context manager that knows its URL before it serves."""

    def __init__(self):
        frontend = self
        self.files = {"/": ("text/html", PAGE)}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, text = frontend.files.get(self.path, (None, ""))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def uses(self, vault, delivery):
        self.files["/own.js"] = ("text/javascript", SCRIPT % {"vault": vault.url, "delivery": delivery})

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def refuses_once(page, path):
    """The next request for it is told that its session is over, as one is that another tab's renewal overtook."""
    seen = []

    def answer(route):
        seen.append(route.request.method)
        if len(seen) > 1:
            return route.continue_()
        return route.fulfill(
            status=401, content_type="application/problem+json", headers=shared,
            body=json.dumps({"type": "urn:vault:problem:unauthorized", "title": "x", "status": 401, "detail": "x",
                             "code": "unauthorized", "instance": "urn:x"}))

    shared = {"Access-Control-Allow-Origin": page.url.rstrip("/"), "Access-Control-Allow-Credentials": "true"}
    page.route("**" + path, answer)
    return seen


def check_sessions(page, delivery, ask):
    """What takes a session away from nobody, and what gives nobody somebody else's."""
    user = ask("return (await vault.session()).user;")
    if delivery == "cookie":
        other = page.context.new_page()
        other.goto(page.url)
        other.wait_for_function("() => window.ready")
        seen = refuses_once(page, "/auth/session")
        assert ask("return (await vault.session()).user;") == user
        assert len(seen) == 2, seen
        page.unroute_all()
        assert ask("return vault.isLoggedIn;") is True
        assert other.evaluate("() => window.ready.vault.isLoggedIn") is True, "another tab was logged out"
        other.close()
        return
    # The renewal happens, and its answer is lost on the way.
    page.route("**/auth/session/refresh", lambda route: (route.fetch(), route.abort()), times=1)
    assert ask("return vault.renew().catch((e) => e.code);") == "offline"
    page.unroute_all()
    assert ask("return (await vault.session()).user;") == user, "the lost answer logged out"
    assert ask("return (await vault.renew()) !== null;")
    # A page that keeps nothing cannot know what it asked for.
    planted = ask("""
        const other = new vault.constructor({ storage: null, shares: false });
        location.hash = "#session=eyJhbGciOiJIUzI1NiJ9.e30.x&platform=sandbox";
        const found = await other.handleReturn();
        return [found.error?.code, other.isLoggedIn, location.hash];""")
    assert planted == ["unexpected-session", False, ""], planted
    assert ask("return (await vault.session()).user;") == user


def check_frontend(page, frontend, delivery):
    """Log in, token, refresh, renew, disconnect, log out: through the module alone."""

    def ask(code):
        page.wait_for_function("() => window.ready")
        return page.evaluate("async () => { const { vault, back } = window.ready; " + code + " }")

    def consent():
        page.wait_for_url("**/authorize*")
        page.get_by_role("button", name="Ada Lovelace").click()
        page.get_by_role("button", name="Allow", exact=True).click()
        page.wait_for_url(frontend.url + "/*")
        return ask("return back;")

    page.goto(frontend.url + "/")
    assert ask("return back;") is None
    assert [one["name"] for one in ask("return vault.platforms();")] == ["sandbox"]
    refused = ask("return vault.session().catch((e) => ({ name: e.name, code: e.code, status: e.status }));")
    assert refused == {"name": "VaultError", "code": "unauthorized", "status": 401}, refused
    assert ask("return vault.isLoggedIn;") is False

    ask("vault.login('sandbox');")
    assert consent() == {"platform": "sandbox"}
    assert page.url == frontend.url + "/", page.url
    first = ask("return vault.token('sandbox');")
    assert first["tokenType"] == "Bearer" and "refreshToken" not in first
    assert ask("return (await vault.token('sandbox')).accessToken;") == first["accessToken"], "a good token stays"
    assert ask("return (await vault.refresh('sandbox')).accessToken;") != first["accessToken"]

    page.reload()
    session = ask("return vault.session();")
    assert [one["platform"] for one in session["connections"]] == ["sandbox"]
    assert ask("return (await vault.renew()).expiresAt;") >= session["expiresAt"]
    assert ask("return (await vault.session()).user;") == session["user"]

    check_sessions(page, delivery, ask)

    assert ask("return vault.disconnect('sandbox');") == {"deleted": True, "revoked": "yes"}
    assert ask("return vault.token('sandbox').catch((e) => e.code);") == "no-connection"
    wrong = ask("return vault.login('nothing').catch((e) => [e.code, typeof e.hint]);")
    assert wrong == ["no-platform", "string"], wrong
    ask("await vault.logout();")
    assert ask("return vault.isLoggedIn;") is False
    assert ask("return vault.session().catch((e) => e.code);") == "unauthorized"
    ask("vault.login('sandbox');")
    assert consent() == {"platform": "sandbox"}, "a login after a log out"

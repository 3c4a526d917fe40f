"""A frontend of somebody else's, on an origin of its own, built on the vault's client.js as it is."""

import http.server
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


def check_frontend(page, frontend):
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

    assert ask("return vault.disconnect('sandbox');") == {"deleted": True, "revoked": "yes"}
    assert ask("return vault.token('sandbox').catch((e) => e.code);") == "no-connection"
    wrong = ask("return vault.login('nothing').catch((e) => [e.code, typeof e.hint]);")
    assert wrong == ["no-platform", "string"], wrong
    ask("await vault.logout();")
    assert ask("return vault.isLoggedIn;") is False
    assert ask("return vault.session().catch((e) => e.code);") == "unauthorized"
    ask("vault.login('sandbox');")
    assert consent() == {"platform": "sandbox"}, "a login after a log out"

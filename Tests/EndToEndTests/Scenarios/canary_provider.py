"""A provider that writes down every secret it gives and gets, and that talks: its errors repeat the tokens."""

import base64
import http.server
import json
import secrets
import threading
import urllib.parse


class Canaries:
    """Every secret of the run by what it is; the same one may be noted twice."""

    def __init__(self):
        self.found = []
        self.lock = threading.Lock()

    def note(self, what, value):
        with self.lock:
            if value and (what, value) not in self.found:
                self.found.append((what, value))
        return value

    def made(self, what):
        # Characters that each encoding writes in its own way.
        return self.note(what, f"{secrets.token_hex(16)}~+/{secrets.token_hex(8)}")


class TalkingProvider:
    """On loopback. `mood` is how it answers the next refreshes."""

    def __init__(self, canaries, client_secret):
        self.canaries, self.client_secret = canaries, client_secret
        self.mood = "good"
        self.heard = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                provider.profile(self)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                if self.path == "/hook":
                    return provider.hear(self, body)
                provider.post(self, dict(urllib.parse.parse_qsl(body)))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def callback(self, authorization_url, user):
        """Consents; returns where the browser is sent."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(authorization_url).query))
        for name in ("state", "nonce"):
            self.canaries.note(name, query.get(name))
        code = f"{user}.{self.canaries.made('code')}"
        return query["redirect_uri"] + "?" + urllib.parse.urlencode({"code": code, "state": query["state"]})

    def hear(self, request, event):
        """A webhook of the vault's; the first is refused in a talkative way."""
        self.heard += 1
        if self.heard == 1:
            return self.write(request, 400, "text/plain", f"{request.headers['webhook-signature']} {event}".encode())
        self.answer(request, 200, {})

    def post(self, request, form):
        basic = base64.b64decode(request.headers.get("Authorization", "")[6:]).decode()
        assert urllib.parse.unquote_plus(basic.partition(":")[2]) == self.client_secret, "not our client"
        if request.path == "/revoke":
            return self.answer(request, 200, {})
        if "code" in form:
            self.canaries.note("verifier", form["code_verifier"])
            return self.answer(request, 200, self.tokens(form["code"].partition(".")[0]))
        told = form["refresh_token"]
        match self.mood:
            case "good":
                return self.answer(request, 200, self.tokens("renewed"))
            case "echo":
                return self.answer(request, 400, {
                    "error": "invalid_request", "error_description": f"{told} is wrong",
                    "error_uri": f"{self.url}/?{told}"})
            case "code":
                return self.answer(request, 400, {"error": told})
            case "page":
                return self.write(request, 500, "text/html", f"<h1>{told}</h1>{self.client_secret}".encode())
            case "cut":
                return self.write(request, 200, "application/json", json.dumps(self.tokens("x")).encode()[:-5])
            case "moved":
                return self.write(request, 302, "text/plain", b"", {"Location": f"{self.url}/?token={told}"})

    def tokens(self, user):
        return {
            "access_token": user + "." + self.canaries.made("access token"), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": self.canaries.made("refresh token")}

    def profile(self, request):
        user = request.headers.get("Authorization", "").partition(" ")[2].partition(".")[0]
        self.answer(request, 200, {"sub": user, "name": user.title()})

    def answer(self, request, status, document):
        self.write(request, status, "application/json", json.dumps(document).encode())

    def write(self, request, status, kind, body, headers=None):
        request.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

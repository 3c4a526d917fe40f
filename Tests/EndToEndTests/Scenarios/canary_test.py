"""A whole life of a vault with every secret known; then everything that it wrote is searched for them.

Usage: canary_test.py VAULT PLUGINS. Exit status 0: none was found, and the search finds those that are put there.
"""

import base64
import hashlib
import hmac
import json
import os
import resource
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time

from canary_provider import Canaries, TalkingProvider
from canary_scan import forms, leaks, leaks_beneath
from vault_process import Browser, Vault, bearer, fragment

PASSPHRASE = "a passphrase with canaries 7c1f0a9d2b"


class Run:
    def __init__(self, program, plugins, folder):
        self.folder, self.canaries = folder, Canaries()
        self.answers = []
        self.secret_files = []
        client_secret = self.canaries.made("client secret")
        self.provider = TalkingProvider(self.canaries, client_secret)
        secret = self.keep("client-secret", client_secret)
        self.session_text = self.canaries.made("session secret") * 2
        self.session_secret = self.keep("session-secret", self.session_text)
        hook = secrets.token_bytes(32)
        self.canaries.note("webhook secret", hook)
        whole = "whsec_" + self.canaries.note("webhook secret", base64.b64encode(hook).decode())
        hook_secret = self.keep("hook-secret", whole)
        self.vault = Vault(program, plugins, folder, lambda vault: f"""
[session]
secret = "file:{self.session_secret}"
[login]
per-minute = 1000
[refresh]
per-minute = 1000
[webhooks.canary]
url = "{self.provider.url}/hook"
secret = "file:{hook_secret}"
[platforms.canary]
provider = "oauth2"
issuer = "{self.provider.url}"
authorize = "{self.provider.url}/authorize"
token = "{self.provider.url}/token"
revoke = "{self.provider.url}/revoke"
profile = "{self.provider.url}/profile"
client-id = "vault"
client-secret = "file:{secret}"
insecure-loopback = true
""")

    def keep(self, name, text):
        """A file that is meant to hold a secret."""
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        self.secret_files.append(path)
        return path

    def command(self, *words, stdin=None, shown=True):
        """Runs a command; unless it is meant to show secrets, what it says is kept and searched."""
        status, out, err = self.vault.run(*words, stdin=stdin)
        with open(os.path.join(self.folder, "said"), "a", encoding="utf-8") as file:
            file.write(err + (out if shown else ""))
        return status, out

    def call(self, browser, method, path, session=None, **more):
        """A request; its answer is kept, to be searched for what no answer may hold."""
        headers = {**(bearer(session) if session else {}), **more.pop("headers", {})}
        status, headers, body = browser.call(method, self.vault.url + path, headers=headers, **more)
        self.answers.append((status, f"{headers}\n{json.dumps(body)}"))
        return status, headers, body

    # The life

    def log_in(self, user):
        browser = Browser()
        status, headers, login = self.call(browser, "POST", "/auth/canary/login", body={})
        assert status == 200, login
        self.canaries.note("binding", headers["Set-Cookie"].partition("=")[2].partition(";")[0])
        callback = self.provider.callback(login["authorizationUrl"], user)[len(self.vault.url):]
        self.call(Browser(), "GET", callback)
        _, headers, answer = self.call(browser, "GET", callback)
        assert "session" in fragment(headers), (answer, fragment(headers))
        return browser, self.canaries.note("session", fragment(headers)["session"])

    def use(self, turn):
        for mood in ("echo", "code", "page", "cut", "moved", "good"):
            # Somebody else each time: who failed a moment ago has to wait.
            browser, session = self.log_in(f"{mood}{turn}")
            self.provider.mood = mood
            _, _, answer = self.call(browser, "POST", "/auth/canary/refresh", session)
            assert (mood == "good") == ("accessToken" in answer), (mood, answer)
            self.call(browser, "GET", "/auth/canary/token", session)
        self.call(browser, "GET", "/auth/session", session)
        self.call(browser, "GET", f"/auth/canary/token?access_token={session}&code={session}")
        self.call(browser, "POST", "/auth/canary/login", session, body={"returnTo": "/" + session})
        self.call(browser, "GET", "/nothing/" + session)
        self.call(browser, "GET", "/auth/session", session + "x")
        self.call(browser, "GET", f"/auth/canary/callback?error={session}&state={session}")

    def administer(self, turn):
        backup = os.path.join(self.folder, f"backup-{turn}")
        for words in (
            ["status"], ["connections"], ["connections", "--json"], ["plugins"], ["key", "list"], ["check", "--json"],
            ["rotate"], ["sweep"], ["backup", "create", backup], ["backup", "verify", backup],
            ["backup", "inspect", backup],
        ):
            status, _ = self.command(*words)
            assert status == 0, words
        user = json.loads(self.command("connections", "--json")[1].splitlines()[0])["user"]
        self.command("show", user, "canary")
        wrong = json.dumps({"accessToken": 7, "refreshToken": self.canaries.made("bad put")})
        self.command("put", user, "canary", stdin=wrong)
        cut = '{"user":"x","platform":"canary","accessToken":"' + self.canaries.made("bad import")
        self.command("import", "-", stdin=cut)
        for path in ("/metrics", "/readyz", "/healthz", "/nothing"):
            self.answers.append((400, json.dumps(Browser().call("GET", self.vault.admin + path)[2])))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.join(self.folder, "store", "admin.sock"))
            show = {"show": {"user": user, "platform": "canary", "reveal": False}}
            client.sendall(json.dumps({"version": 1, "command": show}).encode() + b"\n")
            with client.makefile() as lines:
                self.answers.append((400, lines.readline() + lines.readline()))
        exported = self.command("export", shown=False)[1]
        for line in map(json.loads, exported.splitlines()):
            self.canaries.note("access token", line["accessToken"])
            self.canaries.note("refresh token", line["refreshToken"])
        return exported

    def serve_a_back_end(self, turn):
        """What a service key may and may not do, and what is done wrong with one."""
        name = f"back-end-{turn}"
        actions = [word for one in ("read-connections", "read-token", "write", "delete") for word in ("--action", one)]
        status, key = self.command("service", "create", name, *actions, shown=False)
        assert status == 0, key
        key = key.strip()
        # What stands before is the key's name, which is told; behind it is a checksum.
        self.canaries.note("service key", key[20:84])
        path, browser = f"/v1/users/guest{turn}/connections", Browser()
        grant = {"accessToken": self.canaries.made("access token"), "refreshToken": self.canaries.made("refresh token")}
        wrong = {"accessToken": grant["accessToken"], "refreshToken": 7, key: key}
        for method, place, more, expected in (
            ("PUT", "/canary", {"body": grant}, 200), ("PUT", "/canary", {"body": wrong}, 400),
            ("GET", "", {}, 200), ("GET", "/canary/token", {}, 200), ("GET", f"/{key}/token", {}, 400),
            ("GET", f"?key={key}", {}, 200), ("DELETE", "/canary", {}, 200), ("GET", "/canary/token", {}, 404),
        ):
            status, _, answer = self.call(browser, method, path + place, key, **more)
            assert status == expected, (method, place, status, answer)
        for mistyped in (key[:-1] + "x", key[:20] + key[21:], key[20:84]):
            assert self.call(browser, "GET", path, mistyped)[0] == 401
        assert self.command("service", "list")[0] == 0 and self.command("service", "list", "--json")[0] == 0
        assert self.command("service", "revoke", name)[0] == 0
        assert self.call(browser, "GET", path, key)[0] == 401
        deadline = time.monotonic() + 60
        while self.provider.heard < 3:
            assert time.monotonic() < deadline, "no webhook came"
            time.sleep(0.05)
        assert self.command("events", "--json")[0] == 0

    def sign_with_ed25519(self):
        """The key that EdDSA sessions of this secret are signed with: derived again, so that it can be searched for."""
        seed = hmac.digest(self.session_text.encode(), b"vault session Ed25519 v1", hashlib.sha256)
        self.canaries.note("session signing key", seed)
        answer = self.call(Browser(), "GET", "/.well-known/jwks.json")[2]
        if not answer["keys"]:
            return False
        # It is the one: its public half is published (RFC 8410 §7 for the form that openssl reads).
        private = bytes.fromhex("302e020100300506032b657004220420") + seed
        public = subprocess.run(
            ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input=private, capture_output=True,
            check=True).stdout[-32:]
        assert answer["keys"][0]["x"] == base64.urlsafe_b64encode(public).decode().rstrip("="), "another key signs"
        return True

    def look_at_the_process(self):
        with open(os.path.join(self.folder, "processes"), "ab") as file:
            for process in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{process}/cmdline", "rb") as line:
                        words = line.read()
                    if b"vault" in words:
                        with open(f"/proc/{process}/environ", "rb") as environment:
                            file.write(words + environment.read() + b"\n")
                except OSError:
                    pass

    def live(self, turn, arguments):
        self.vault.arguments = arguments
        with self.vault:
            self.use(turn)
            other, second = self.log_in(f"grace{turn}")
            renewed = self.call(other, "POST", "/auth/session/refresh", second)[2]["session"]
            self.canaries.note("session", renewed)
            exported = self.administer(turn)
            self.serve_a_back_end(turn)
            assert self.sign_with_ed25519() == ("EdDSA" in arguments)
            self.look_at_the_process()
            self.call(other, "DELETE", "/auth/canary", renewed)
            self.call(other, "DELETE", "/auth/session", renewed)
            status = self.vault.stop(signal.SIGSEGV)
            assert status in (-signal.SIGSEGV, -signal.SIGILL), f"it was to crash and ended with {status}"
        return exported


def keys(run):
    """The keys, each as text and as its bytes."""
    with open(os.path.join(run.folder, "vault.key"), encoding="utf-8") as file:
        text = file.read().strip()
    return [("root key", text), ("root key", bytes.fromhex(text)), ("passphrase", PASSPHRASE)]


def main(program, plugins):
    # The toolchain's own crash reporter takes minutes for a debug build, and is not on a server.
    os.environ["SWIFT_BACKTRACE"] = "enable=no"
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="vault-canary-") as folder:
        os.chdir(folder)
        run = Run(program, plugins, folder)
        status, said = run.command("init", shown=False)
        assert status == 0
        run.secret_files.append(os.path.join(folder, "vault.key"))
        recovery = next(word for word in said.split() if word.count("-") >= 7)
        assert run.command("key", "add", f"passphrase:file:{run.keep('passphrase', PASSPHRASE)}")[0] == 0
        revealed = ""
        for turn, (form, algorithm) in enumerate([("json", "HS256"), ("text", "EdDSA")]):
            revealed += run.live(
                turn, ["--log-level", "trace", "--log-format", form, "--session-algorithm", algorithm])
        run.provider.stop()
        found = run.canaries.found + keys(run) + [("recovery key", recovery)]

        # What was written to files: logs, what commands said, the store, backups, cores.
        where = leaks_beneath(folder, found, but=run.secret_files)
        assert not where, f"secrets were written: {where}"
        # What was answered: an error says nothing; no answer at all says what only the vault may know.
        inner = [one for one in found if one[0] not in ("access token", "session", "state", "binding", "code")]
        for status, text in run.answers:
            where = leaks(text.encode(), found if status >= 400 else inner)
            assert not where, f"an answer with {status} holds {where}: {text[:2000]}"

        kinds = {what for what, _ in found}
        assert len(kinds) >= 17, f"too few kinds of secrets: {kinds}"
        with open(run.vault.log, encoding="utf-8") as file:
            log = file.read()
        lines = len(log.splitlines())
        assert log.count("refresh.failed") >= 10 and lines > 100, f"{lines} lines of log say too little"
        it_would_notice(folder, run, found, revealed)
        a_core_would_be_found(folder, found)
        print(f"ok {len(found)} secrets of {len(kinds)} kinds, in {len(run.answers)} answers, {lines} lines of log, "
              "store, backups, commands, processes, two crashes: none found")
    return 0


def a_core_would_be_found(folder, found):
    """Another program with the same limits and a secret in its memory crashes beneath the folder that is searched."""
    place = os.path.join(folder, "crashed")
    os.mkdir(place)
    code = "import os, signal, sys; kept = sys.stdin.read(); os.kill(os.getpid(), signal.SIGSEGV)"
    ended = subprocess.run([sys.executable, "-c", code], input=found[0][1], text=True, cwd=place, check=False)
    assert ended.returncode == -signal.SIGSEGV, ended
    cores = os.listdir(place)
    if not cores:
        with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as pattern:
            print(f"  cores go elsewhere here ({pattern.read().strip()}): none could be searched")
        return
    where = leaks_beneath(folder, found[:1])
    assert any(file.startswith("crashed/") for *_, file in where), f"{cores} was not found or not searched: {where}"
    for core in cores:
        os.remove(os.path.join(place, core))
    print("  it would notice a secret in a core")


def it_would_notice(folder, run, found, revealed):
    """Every secret in every form; one in a file; and what is meant to reveal, which has to be caught too."""
    names = set()
    for what, value in found:
        for name, form in forms(value).items():
            names.add(name)
            assert (what, name) in leaks(b"before " + form + b" behind", [(what, value)]), (what, name)
    with open(os.path.join(folder, "planted"), "wb") as file:
        file.write(forms(found[0][1])["base64+1"])
    where = leaks_beneath(folder, found, but=run.secret_files)
    assert where and {file for *_, file in where} == {"planted"}, where
    told = {what for what, _ in leaks(revealed.encode(), found)}
    assert {"access token", "refresh token"} <= told, f"an export was searched and only {told} found"
    header = base64.b64encode(b"vault:" + run.provider.client_secret.encode())
    assert ("client secret" in {what for what, _ in leaks(header, found)}), "not within an Authorization header"
    print(f"  it would notice each of them in each of {len(names)} forms")


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))

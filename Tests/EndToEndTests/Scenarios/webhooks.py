"""Kills the server while events are made and told, and asks that a receiver hears of every change, under one id each.

Usage: webhooks.py PROGRAM PLUGINS [ROUNDS].
"""

import base64
import hashlib
import hmac
import http.server
import json
import random
import signal
import sys
import tempfile
import threading
import time
import urllib.error

from vault_process import Browser, Vault, bearer

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def verified(headers, body, key):
    """Whether the signature is that of Standard Webhooks."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected, headers["webhook-signature"])


class Receiver:
    """Answers 503 now and then, redirects once in a while, and keeps what it took."""

    def __init__(self):
        self.taken, self.mood, self.faults = [], 0.3, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not verified(self.headers, body, KEY) or verified(self.headers, body, b"another key"):
                    outer.faults.append("a signature that does not hold")
                if abs(int(self.headers["webhook-timestamp"]) - time.time()) > 60:
                    outer.faults.append("a timestamp that is not now")
                if self.path != "/hook":
                    outer.faults.append("a redirect was followed")
                status = random.choice([503, 500, 307]) if random.random() < outer.mood else 204
                # Before the answer: after it the next event may already be here, in another thread.
                if status == 204:
                    outer.taken.append((self.headers["webhook-id"], json.loads(body)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if status == 307:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"


def write(vault, key, users, answered):
    """Brings and ends connections, one user after another, until the server is gone."""
    browser = Browser()
    for user in users:
        path = f"{vault.url}/v1/users/{user}/connections/sandbox"
        grant = {"accessToken": f"AT-CANARY-{user}", "subject": user}
        try:
            if browser.call("PUT", path, body=grant, headers=bearer(key))[0] == 200:
                answered.append((user, "connection.connected"))
            if browser.call("DELETE", path, headers=bearer(key))[0] == 200:
                answered.append((user, "connection.revoked"))
        except (urllib.error.URLError, ConnectionError, OSError):
            return


def judged(answered, taken):
    """What is wrong with what the receiver took, or None."""
    missing = set(answered) - {(body["data"]["user"], body["type"]) for _, body in taken}
    if missing:
        return f"never told: {sorted(missing)[:5]}"
    ids, order = {}, {}
    for identity, body in taken:
        user = body["data"]["user"]
        ids.setdefault((user, body["type"]), set()).add((identity, json.dumps(body, sort_keys=True)))
        order.setdefault(user, []).append(body["type"])
    double = [change for change, found in ids.items() if len(found) > 1]
    if double:
        return f"one change, several events: {double[:5]}"
    wrong = [user for user, types in order.items() if types[0] != "connection.connected"]
    return f"out of order: {wrong[:5]}" if wrong else None


def doctored(answered, taken):
    """What receivers of broken programs would have taken, one fault each: the judge must notice every one."""
    user = next(user for user, change in answered if change == "connection.revoked")
    identity, body = next(
        entry for entry in taken if (entry[1]["data"]["user"], entry[1]["type"]) == (user, "connection.revoked")
    )
    rest = [entry for entry in taken if entry[0] != identity]
    yield "an event lost", rest
    yield "an event told under two ids", [*taken, (f"{identity}-again", body)]
    yield "an event before its cause", [(identity, body), *rest]


def main():
    program, plugins = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    receiver = Receiver()

    def conf(_):
        return (
            "[sandbox]\nport = 0\n[service]\nper-minute = 100000\n"
            f'[webhooks.hook]\nurl = "{receiver.url}"\nsecret = "{SECRET}"\n'
        )

    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(program, plugins, folder, conf, arguments=["--sandbox"])
        try:
            told = play(vault, receiver, rounds)
        finally:
            vault.__exit__()
    print(f"webhooks: {told}, {rounds} kills")


def play(vault, receiver, rounds):
    answered = []
    assert vault.run("init")[0] == 0
    status, out, err = vault.run("service", "create", "job", "--action", "write", "--action", "delete")
    assert status == 0, err
    key = out.strip()
    for number in range(rounds):
        vault.start()
        users = [f"user-{number}-{index}" for index in range(200)]
        writer = threading.Thread(target=write, args=(vault, key, users, answered))
        writer.start()
        time.sleep(random.uniform(0.2, 0.8))
        vault.stop(signal.SIGKILL)
        writer.join()
    assert len(answered) > rounds, "the writers wrote nothing"

    receiver.mood = 0.0
    vault.start()
    deadline = time.monotonic() + 60
    missing = set(answered)
    while missing and time.monotonic() < deadline:
        time.sleep(0.2)
        missing = set(answered) - {(body["data"]["user"], body["type"]) for _, body in list(receiver.taken)}
    told = f"{len(answered)} changes, {len(receiver.taken)} told"
    assert not missing, f"{told}; never told: {sorted(missing)[:5]}\n{vault.tail()}"
    assert not receiver.faults, set(receiver.faults)

    complaint = judged(answered, receiver.taken)
    assert not complaint, complaint
    for name, taken in doctored(answered, receiver.taken):
        assert judged(answered, taken), f"the judge did not notice: {name}"

    status, out, _ = vault.run("check")
    assert status == 0, out
    assert vault.run("events", "--dead")[1] == ""
    assert vault.stop() == 0
    with open(vault.log, encoding="utf-8", errors="replace") as log:
        text = log.read()
    assert "AT-CANARY" not in text and "CANARY" not in json.dumps(receiver.taken)
    assert key[20:] not in text and SECRET not in text
    return told

main()

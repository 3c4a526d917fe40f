"""What the torture scenarios share: the vault and the sandbox as two processes, many users, and the comparison of what
the vault holds with what the sandbox's own ledger says."""

import collections
import hashlib
import http.client
import json
import os
import signal
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from fault_tools import Lost
from second_provider import SecondProvider
from vault_process import Browser, Vault

PLATFORM = "radio"
LONG = 3600


def folder():
    """A folder for one run, in memory where that can be: a kill loses nothing that a disk would have kept."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="vault-torture-", dir=memory)


class Sandbox(SecondProvider):
    """`vault sandbox` as the vault's one provider, told over HTTP how to behave."""

    def platform(self, vault):
        return f"""
[platforms.{PLATFORM}]
provider = "sandbox"
issuer = "{self.issuer}"
client-id = "radio"
client-secret = "radio-secret"
redirect-uri = "{vault.url}/auth/{PLATFORM}/callback"
insecure-loopback = true
[login]
per-minute = 100000
[refresh]
per-minute = 100000
timeout = "2s"
[log]
level = "notice"
"""

    def control(self, **change):
        status, _, answer = Browser().call("POST", self.issuer + "/control", body=change)
        assert status == 200, answer

    def misbehave(self, fault, **more):
        self.control(misbehave=[{"fault": fault, "at": "refresh", **more}])

    def state(self):
        """How it behaves, and how many redemptions it is busy with."""
        return Browser().call("GET", self.issuer + "/control")[2]

    def rest(self, patience=20):
        """Waits until it redeems nothing: what a killed vault sent may be redeemed after its successor has asked."""
        deadline = time.monotonic() + patience
        while self.state()["redeeming"]:
            assert time.monotonic() < deadline, "requests for tokens do not end"
            time.sleep(0.05)

    def ledger(self):
        return Browser().call("GET", self.issuer + "/ledger")[2]

    def has_it(self, user, patience=20):
        """Waits until the request that the user's one fault was meant for is inside the provider."""
        deadline = time.monotonic() + patience
        while any(one.get("user") == user for one in self.state()["misbehave"]):
            assert time.monotonic() < deadline, f"no request came for {user}"
            time.sleep(0.01)

    def grants(self, users):
        """A grant for each, as a consent would give it."""
        status, _, answer = Browser().call(
            "POST", self.issuer + "/grants", body={"users": users, "client": "radio"})
        assert status == 200, answer
        return answer


class Torture:
    """One vault, one sandbox, in one folder."""

    def __init__(self, program, plugins, folder):
        self.program, self.folder = program, folder
        self.sandbox = Sandbox(program, folder)
        self.vault = Vault(program, plugins, folder, self.sandbox.platform)

    def __enter__(self):
        self.sandbox.start(self.vault)
        self.vault.start()
        return self

    def __exit__(self, *error):
        self.vault.__exit__()
        self.sandbox.stop()

    def kill(self):
        """As the machine's end would: no signal that can be handled."""
        if self.vault.process.poll() is None:
            self.vault.stop(signal.SIGKILL)
        self.vault.process = None

    def restart(self):
        self.kill()
        self.vault.start()

    def people(self, names):
        """Users with a grant whose access token has ended, and the sessions that speak for them."""
        lines = []
        for grant in self.sandbox.grants(names):
            lines.append(json.dumps({
                "user": grant["user"], "platform": PLATFORM, "accessToken": grant["accessToken"],
                "refreshToken": grant["refreshToken"], "expiresAt": int(time.time()) - 10,
                "subject": grant["subject"], "scope": "profile music"}))
        for start in range(0, len(lines), 256):
            status, _, err = self.vault.run("import", "-", stdin="\n".join(lines[start:start + 256]) + "\n")
            assert status == 0, err
        with ThreadPoolExecutor(12) as pool:
            return dict(zip(names, pool.map(self.session, names)))

    def session(self, user):
        """What `vault session issue` does, without a process for each of thousands."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.join(self.folder, "store", "admin.sock"))
            client.sendall(json.dumps({"version": 1, "command": {"issueSession": {"user": user}}}).encode() + b"\n")
            with client.makefile() as answers:
                return json.loads(answers.readline())["event"]["_0"]["session"]["_0"]["session"]

    def ask(self, session, method="GET", timeout=30):
        """One request for a token: status and body, or None when the server went away."""
        link = http.client.HTTPConnection("127.0.0.1", self.vault.port, timeout=timeout)
        try:
            path = "token" if method == "GET" else "refresh"
            link.request(method, f"/auth/{PLATFORM}/{path}", headers={"Authorization": "Bearer " + session})
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()

    def settled(self, session, method="GET"):
        """The answer when everything works again: whoever is told to come back comes back."""
        for _ in range(30):
            answer = self.ask(session, method)
            if answer is None or answer[1].get("code") not in ("retry", "uncertain"):
                break
            time.sleep(1)
        return answer

    def held(self):
        """What the vault holds, by user."""
        status, out, err = self.vault.run("export")
        assert status == 0, err
        return {line["user"]: line for line in map(json.loads, out.splitlines())}

    def sent(self, token):
        """How often the provider was shown this refresh token."""
        return sum(
            one["redemptions"] for grant in self.sandbox.ledger()["grants"].values()
            for one in grant["refreshTokens"] if one["id"] == name_of(token))

    def doubted(self):
        """The users of whose grants the vault ever said that it is not sure: what a probe may have been made of."""
        status, out, err = self.vault.run("events", "--json")
        assert status == 0, err
        events = map(json.loads, out.splitlines())
        return {event["user"] for event in events if event["type"] == "connection.uncertain"}

    def agree(self, users, reuses=0):
        """Holds the vault against the sandbox's ledger, grant by grant.

        `reuses`: how many times a token may have been presented that was spent. Returns the healths, counted.
        """
        return agreement(self.held(), self.sandbox.ledger(), users, reuses)


def name_of(token):
    """By which the ledger knows a token it does not keep."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def agreement(held, ledger, users, reuses=0):
    if ledger["reuses"] > reuses:
        raise Lost(f"{ledger['reuses']} refresh tokens were sent again after they were spent, not {reuses}")
    tokens, newest = {}, {}
    for grant in ledger["grants"].values():
        for token in grant["refreshTokens"]:
            tokens[token["id"]] = (grant, token)
        if grant["consentedAt"] >= newest.get(grant["user"], grant)["consentedAt"]:
            newest[grant["user"]] = grant
    healths = collections.Counter()
    for user in users:
        if user not in held:
            raise Lost(f"{user}'s connection is gone")
        health = held[user]["health"]
        healths[health] += 1
        grant, token = tokens.get(name_of(held[user]["refreshToken"]), (None, None))
        if grant is None or grant["user"] != user:
            raise Lost(f"{user} holds a token that was given to {grant and grant['user']}")
        if grant is not newest[user]:
            raise Lost(f"{user} holds a grant older than the last consent")
        if health == "healthy" and (token["state"] != "current" or "revoked" in grant):
            raise Lost(f"{user} is called healthy with a token that is {token['state']}")
        if health == "reconnect" and "revoked" not in grant:
            raise Lost(f"{user} is asked to reconnect, and the grant is alive")
        if health == "operator":
            raise Lost(f"{user}: operator, {held[user]['healthReason']}")
    return healths

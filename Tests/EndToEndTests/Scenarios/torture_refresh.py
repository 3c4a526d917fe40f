"""One grant in trouble, against the real program over real sockets: a herd of callers, a provider slower than every
timeout, a caller who hangs up, a new consent meanwhile, a disk that fills up.

Usage: torture_refresh.py VAULT PLUGINS. Exit status 0: all promises held.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from fault_tools import Lost, must_notice
from torture_tools import PLATFORM, Torture, folder
from tracing import attach, tracing_works
from vault_process import Browser, Vault, fragment


class Caller(threading.Thread):
    """A request for a token on a thread of its own."""

    def __init__(self, torture, session, method="GET"):
        super().__init__()
        self.call = lambda: torture.ask(session, method)
        self.answer = None
        self.start()

    def run(self):
        self.answer = self.call()

    def done(self):
        self.join()
        return self.answer


def must(condition, *words):
    if not condition:
        raise Lost(" ".join(map(str, words)))


def herd(torture, size=200):
    session = torture.people(["herd"])["herd"]
    before = torture.held()["herd"]["refreshToken"]
    torture.sandbox.misbehave("slow", user="herd", milliseconds=1200)
    callers = [Caller(torture, session, "POST" if number % 2 else "GET") for number in range(size)]
    answers = [caller.done() for caller in callers]
    must(all(answer and answer[0] == 200 for answer in answers), "not everybody was answered")
    must(len({answer[1]["accessToken"] for answer in answers}) == 1, "they did not get the same token")
    must(torture.sent(before) == 1, "the refresh token was sent", torture.sent(before), "times")
    torture.agree(["herd"])
    print(f"ok {size} callers of one ended grant: 1 redemption, {size} equal answers")


def slower_than_every_timeout(torture):
    """The vault waits two seconds; the provider takes six; others come after three, and after all of it."""
    session = torture.people(["tardy"])["tardy"]
    token = torture.held()["tardy"]["refreshToken"]
    torture.sandbox.misbehave("slow", user="tardy", milliseconds=6000, times=1)
    first = Caller(torture, session)
    torture.sandbox.has_it("tardy")
    time.sleep(3)
    late = [Caller(torture, session), Caller(torture, session, "POST")]
    answers = [caller.done() for caller in [first, *late]]
    must(all(answer and answer[0] == 503 for answer in answers), "what nobody can know was answered with", answers)
    must(all(answer[1]["code"] == "uncertain" for answer in answers[1:]), "the doubt was forgotten", answers)
    torture.sandbox.rest()
    must(torture.sent(token) <= 1, "the refresh token was sent twice")
    must(torture.agree(["tardy"])["uncertain"] == 1, "it is not uncertain")
    print("ok a provider slower than every timeout: sent once, then uncertain")
    return token, session


def hanging_up(torture):
    session = torture.people(["gone"])["gone"]
    before = torture.held()["gone"]["refreshToken"]
    torture.sandbox.misbehave("slow", user="gone", milliseconds=500, times=1)
    link = socket.create_connection(("127.0.0.1", torture.vault.port))
    link.sendall(
        f"GET /auth/{PLATFORM}/token HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {session}\r\n\r\n".encode())
    torture.sandbox.has_it("gone")
    link.close()
    deadline = time.monotonic() + 10
    while (held := torture.held()["gone"])["refreshToken"] == before:
        must(time.monotonic() < deadline, "the redemption was given up with its caller")
    must(torture.ask(session)[1]["accessToken"] == held["accessToken"], "the next reader gets something else")
    must(torture.sent(held["refreshToken"]) == 0, "it was redeemed again")
    torture.agree(["gone"])
    print("ok a caller who hangs up: the redemption was committed, the next reader has it")


def new_consent_meanwhile(torture):
    session = torture.people(["anew"])["anew"]
    torture.sandbox.misbehave("slow", user="anew", milliseconds=1500, times=1)
    refresh = Caller(torture, session)
    torture.sandbox.has_it("anew")
    consent(torture, "anew")
    consented = torture.held()["anew"]["refreshToken"]
    refresh.done()
    must(torture.held()["anew"]["refreshToken"] == consented, "the refresh overwrote the new consent")
    torture.agree(["anew"])
    must(torture.ask(session, "POST")[0] == 200, "the new grant does not work")
    torture.agree(["anew"])
    print("ok a new consent during a refresh: it stays")


def consent(torture, user):
    """A whole login as the account `user`."""
    browser = Browser()
    torture.sandbox.control(autoApprove=user)
    status, _, login = browser.call("POST", torture.vault.url + f"/auth/{PLATFORM}/login", body={})
    must(status == 200, login)
    status, headers, _ = browser.call("GET", login["authorizationUrl"])
    must(status == 303, "no consent")
    status, headers, answer = browser.call("GET", headers["Location"])
    must(status == 303 and "session" in fragment(headers), "no session:", answer, fragment(headers))
    torture.sandbox.control(autoApprove="")
    return fragment(headers)["session"]


class FullDisk:
    """Every write to the store's file fails with ENOSPC while this holds."""

    def __init__(self, torture):
        file = os.path.join(torture.folder, "store", "data.mdb")
        calls = "pwrite64,pwritev,writev"
        self.strace = attach(torture, "-P", file, "-e", f"trace={calls}", "-e", f"inject={calls}:error=ENOSPC")

    def over(self):
        self.strace.terminate()
        try:
            self.strace.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            # One that missed the end of a thread waits for it for ever.
            self.strace.kill()
            self.strace.communicate()


def full_from_here(torture, user):
    """A refresh whose tokens come to a disk that is full; None where they came before it was."""
    session = torture.people([user])[user]
    before = torture.held()[user]["refreshToken"]
    torture.sandbox.misbehave("slow", user=user, milliseconds=1500, times=1)
    caller = Caller(torture, session)
    torture.sandbox.has_it(user)
    disk = FullDisk(torture)
    if torture.sandbox.state()["redeeming"]:
        return session, before, caller, disk
    disk.over()
    caller.done()
    return None


def full_disk(torture, killed):
    """The disk is full when the new tokens come: they are kept until there is room, or the doubt is."""
    for attempt in range(10):
        user = f"full-killed-{attempt}" if killed else f"full-{attempt}"
        started = full_from_here(torture, user)
        if started is not None:
            break
    else:
        raise Lost("the disk was never full in time")
    session, before, caller, disk = started
    status, answer = caller.done()
    must(status == 507 and answer["code"] == "full", "a full disk was answered with", status, answer)
    must(torture.sent(before) == 1, "sent", torture.sent(before), "times")
    if killed:
        torture.vault.process.kill()
        disk.over()
        torture.kill()
        torture.vault.start()
    else:
        disk.over()
        must(torture.ask(session)[0] == 200, "what waited was not stored when there was room")
    must(torture.agree([user])["uncertain" if killed else "healthy"] == 1, "another health")
    must(torture.sent(before) == 1, "the spent token was sent again")
    print("ok a full disk at the commit" + (", then kill -9: uncertain" if killed else ": stored when there was room"))
    return before, session


def the_probe(torture, doubtful):
    """The access tokens have ended: whoever asks has the provider asked once, and everybody then knows."""
    for token, session in doubtful:
        known = torture.sent(token)
        must(torture.settled(session)[1]["code"] == "reconnect", "the probe of a spent token found something else")
        must(torture.ask(session)[1]["code"] == "reconnect", "what the probe found was forgotten")
        must(torture.sent(token) == known + 1 == 2, "probed", torture.sent(token) - known, "times")
    print(f"ok {len(doubtful)} doubtful grants: asked for, probed once each")


def it_would_notice(torture, program, plugins):
    """Two vaults with one grant and no knowledge of each other are what a vault without flights would be."""
    session = torture.people(["twice"])["twice"]
    torture.vault.stop()
    with folder() as place:
        other = Vault(program, plugins, place, torture.sandbox.platform)
        shutil.copy2(os.path.join(torture.folder, "vault.key"), place)
        shutil.copytree(os.path.join(torture.folder, "store"), os.path.join(place, "store"))
        torture.vault.start()
        known = torture.sandbox.ledger()["reuses"]
        torture.ask(session)
        other.run("refresh", "twice", PLATFORM)
        must_notice("a grant that two vaults redeem", lambda: torture.agree(["twice"], reuses=known))


def main(program, plugins):
    with folder() as place, Torture(program, plugins, place) as torture:
        try:
            herd(torture)
            # It takes its time; the others have users of their own.
            with ThreadPoolExecutor() as pool:
                slow = pool.submit(slower_than_every_timeout, torture)
                hanging_up(torture)
                new_consent_meanwhile(torture)
                doubtful = [slow.result()]
            reason = tracing_works()
            if reason:
                print(f"a full disk at the commit: skipped, {reason}")
            else:
                full_disk(torture, killed=False)
                doubtful.append(full_disk(torture, killed=True))
            the_probe(torture, doubtful)
        except Lost as lost:
            print(f"{lost}\n{torture.vault.tail()}")
            return 1
        it_would_notice(torture, program, plugins)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

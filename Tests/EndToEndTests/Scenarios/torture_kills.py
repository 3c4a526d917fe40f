"""kill -9 of the server at every step of a refresh, from the request to the answer, one system call after another.

Usage: torture_kills.py VAULT PLUGINS [SECONDS]. Needs strace and the right to put it on a running process; without
them exits with 77 and says so.
"""

import collections
import os
import shutil
import sys
import time

from fault_tools import SKIPPED, Lost, must_notice
from torture_tools import Torture, folder
from tracing import attach, trace, tracing_works

# What reads the request and the provider's answer, what reaches the disk, what answers the caller.
CALLS = ["pwrite64", "fdatasync", "read", "write", "writev", "recvfrom", "sendto", "connect", "pread64"]


class KilledAt:
    """The server dies at the number-th of one system call on one of its threads, counted from now."""

    def __init__(self, torture, call, number):
        self.log = trace(torture)
        self.strace = attach(torture, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")

    def over(self, answered):
        """Whether it died of it."""
        if answered:
            # It may have died of what came after the answer.
            time.sleep(0.1)
        deadline = time.monotonic() + (0 if answered else 5)
        while time.monotonic() < deadline and not self._says_so():
            time.sleep(0.01)
        # Not asked to end: one that missed the end of a thread waits for it for ever.
        self.strace.kill()
        self.strace.communicate()
        return self._says_so()

    def _says_so(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "killed by SIGKILL" in log.read()


def one_kill(torture, user, session, before, call, number):
    """Returns whether the server died, and what became of the grant."""
    reuses = torture.sandbox.ledger()["reuses"]
    tracer = KilledAt(torture, call, number)
    answer = torture.ask(session)
    died = tracer.over(answered=answer is not None)
    if not died and (answer is None or answer[0] not in (200, 503)):
        raise Lost(f"nobody died, and the answer is {answer}")
    if died:
        torture.restart()
    # The access token has ended: whoever reads next has a doubtful grant probed, and a sure one not sent again.
    second = torture.settled(session)
    health = next(iter(torture.agree([user], reuses + died)))
    held = torture.held()[user]
    if torture.sandbox.ledger()["reuses"] > reuses and user not in torture.doubted():
        raise Lost("a spent token was sent again, and not in doubt")
    torture.ask(session)
    if torture.sent(before) > 1 + died:
        raise Lost(f"the token was sent {torture.sent(before)} times")
    if answer is not None and answer[0] == 200 and held["refreshToken"] == before:
        raise Lost("the new token was handed out and not kept")
    if health == "healthy" and (second is None or second[0] != 200):
        raise Lost(f"healthy, and the answer is {second}")
    if health == "reconnect" and second[1].get("code") != "reconnect":
        raise Lost(f"dead, and the answer is {second}")
    if health not in ("healthy", "reconnect"):
        raise Lost(f"{health}, after it was probed")
    return died, health


def it_would_notice(torture):
    """A store that is put back is what a vault would leave that wrote neither its journal nor its tokens."""
    session = torture.people(["forgetful"])["forgetful"]
    torture.vault.stop()
    store, copy = os.path.join(torture.folder, "store"), os.path.join(torture.folder, "copy")
    shutil.copytree(store, copy)
    torture.vault.start()
    torture.ask(session)
    torture.kill()
    shutil.rmtree(store)
    os.rename(copy, store)
    torture.vault.start()
    must_notice("tokens that were not kept", lambda: torture.agree(["forgetful"], reuses=100))
    known = torture.sandbox.ledger()["reuses"]
    torture.ask(session)
    must_notice("a spent token that is sent again", lambda: torture.agree(["forgetful"], reuses=known))


def main(program, plugins, limit):
    reason = tracing_works()
    if reason:
        print(f"kills during a refresh: skipped, {reason}")
        return SKIPPED
    with folder() as place, Torture(program, plugins, place) as torture:
        end = time.monotonic() + limit
        left, kills, number, healths = list(CALLS), 0, 0, collections.Counter()
        people = torture.people([f"person-{number}" for number in range(100)])
        before = torture.held()
        # Round after round, so that a short time reaches every kind of call.
        while left and time.monotonic() < end:
            number += 1
            for call in list(left):
                if time.monotonic() >= end:
                    break
                user, session = people.popitem()
                try:
                    died, health = one_kill(torture, user, session, before[user]["refreshToken"], call, number)
                except Lost as lost:
                    print(f"killed at {call} number {number}: {lost}\n{torture.vault.tail()}")
                    return 1
                kills += died
                healths[health] += died
                # It got through all of it.
                if not died:
                    left.remove(call)
        doubted = len(torture.doubted())
        print(f"ok killed at {kills} system calls of a refresh{' (out of time)' if left else ', all there are'}: "
              f"{doubted} in doubt and probed by the next reader, which left {dict(healths)}")
        it_would_notice(torture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 300))

"""Many users, a provider that fails in every way at random, a server that is killed again and again; then every grant
is looked at, on both sides.

Usage: torture_crowd.py VAULT PLUGINS [USERS SECONDS [SEED]]. Exit status 0: all promises held.
"""

import os
import random
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from fault_tools import Lost, must_notice
from torture_tools import LONG, Torture, folder
from vault_process import Browser, bearer

WORKERS = 12
# How long access tokens live while the trouble lasts, in seconds.
SHORT = 2
# What goes wrong with a refresh, and how often beside the others.
FAULTS = [
    ({"fault": "lost-answer"}, 3), ({"fault": "truncated"}, 2), ({"fault": "dropped"}, 3), ({"fault": "revoked"}, 1),
    ({"fault": "status", "status": 503, "error": "invalid_grant"}, 3), ({"fault": "status", "status": 500}, 2),
    ({"fault": "rate-limited", "seconds": 1}, 2), ({"fault": "html", "status": 403}, 2),
    ({"fault": "ok-with-error", "error": "server_error"}, 2), ({"fault": "slow", "milliseconds": 300}, 3),
    ({"fault": "slow", "milliseconds": 4000}, 1), ({"fault": "omit-refresh-token"}, 3), ({"fault": "non-rotating"}, 3),
    ({"fault": "short-expiry", "seconds": 1}, 3),
]
# What a caller may be told while all this goes on; nothing else, and never an internal error.
ANSWERS = {200, 409, 503}


class Trouble(threading.Thread):
    """Makes the provider fail and kills the server, at random moments, until it is stopped."""

    def __init__(self, torture, dice, seconds):
        super().__init__(daemon=True)
        self.torture, self.dice = torture, dice
        # Often enough for a short run, and not all of a long one.
        self.kill_every = max(seconds / 12, 1.5)
        self.ended = threading.Event()
        self.kills = 0
        self.failure = None
        self.start()

    def run(self):
        try:
            next_kill = time.monotonic() + self.dice.uniform(0.5, self.kill_every)
            while not self.ended.wait(self.dice.uniform(0.01, 0.1)):
                fault = self.dice.choices([one for one, _ in FAULTS], [weight for _, weight in FAULTS])[0]
                self.torture.sandbox.misbehave(**fault, times=self.dice.randint(1, 4))
                if time.monotonic() > next_kill:
                    self.torture.restart()
                    self.kills += 1
                    next_kill = time.monotonic() + self.dice.uniform(0.3, 2) * self.kill_every
        except (AssertionError, OSError) as failure:
            self.failure = failure

    def stop(self):
        self.ended.set()
        self.join()
        assert self.failure is None, self.failure


def worker(torture, sessions, dice, end, counts):
    while time.monotonic() < end:
        answer = torture.ask(dice.choice(sessions))
        counts[answer[0] if answer else None] = counts.get(answer[0] if answer else None, 0) + 1
        if answer is None:
            time.sleep(0.05)
        elif answer[0] not in ANSWERS:
            raise Lost(f"a caller was told {answer}")


def settle(torture, sessions):
    """No more trouble: each grant is asked for once, which probes what is in doubt; then it works or it is dead."""
    torture.sandbox.control(reset=True, accessTokenSeconds=LONG)
    # Whatever was backing off begins anew with the process.
    torture.restart()
    torture.sandbox.rest()
    # A token that still lives is handed out whatever became of its grant, and ends while it is looked at.
    time.sleep(SHORT + 1)
    with ThreadPoolExecutor(WORKERS) as pool:
        answers = dict(zip(sessions, pool.map(torture.settled, sessions.values())))
    doubted = torture.doubted()
    healths = torture.agree(sessions, reuses=len(doubted))
    if set(healths) - {"healthy", "reconnect"}:
        raise Lost(f"all is well again, and there are {dict(healths)}")
    for grant in torture.sandbox.ledger()["grants"].values():
        if grant["reuses"] and grant["user"] not in doubted:
            raise Lost(f"a spent token of {grant['user']} was sent again, and nobody doubted it")
    held = torture.held()
    for user, (status, answer) in answers.items():
        told = "healthy" if status == 200 else answer["code"]
        if told != held[user]["health"]:
            raise Lost(f"{user} is {held[user]['health']} and was told {status} {answer}")
    return healths, answers, len(doubted)


def tokens_work(torture, answers, dice):
    """What is called fresh is taken by the provider."""
    fresh = [answer["accessToken"] for status, answer in answers.values() if status == 200]
    for token in dice.sample(fresh, min(len(fresh), 100)):
        status = Browser().call("GET", torture.sandbox.issuer + "/userinfo", headers=bearer(token))[0]
        if status != 200:
            raise Lost(f"a fresh token was refused with {status}")


def it_would_notice(torture, fresh):
    """The store of a moment ago, put back: some grants are not what the provider knows."""
    torture.vault.stop()
    store, copy = os.path.join(torture.folder, "store"), os.path.join(torture.folder, "copy")
    shutil.copytree(store, copy)
    torture.vault.start()
    for session in list(fresh.values())[:20]:
        torture.ask(session, "POST")
    torture.kill()
    shutil.rmtree(store)
    os.rename(copy, store)
    known = torture.sandbox.ledger()["reuses"]
    must_notice("refreshes that were not kept", lambda: torture.agree(fresh, reuses=known))


def main(program, plugins, users=200, seconds=4, seed=None):
    seed = seed if seed is not None else random.randrange(1 << 32)
    dice = random.Random(seed)
    with folder() as place, Torture(program, plugins, place) as torture:
        torture.sandbox.control(accessTokenSeconds=SHORT)
        sessions = torture.people([f"person-{number}" for number in range(users)])
        counts, end = {}, time.monotonic() + seconds
        trouble = Trouble(torture, dice, seconds)
        try:
            with ThreadPoolExecutor(WORKERS) as pool:
                spoken = list(sessions.values())
                for done in [pool.submit(worker, torture, spoken, random.Random(seed + number), end, counts)
                             for number in range(WORKERS)]:
                    done.result()
            trouble.stop()
            healths, answers, doubted = settle(torture, sessions)
            tokens_work(torture, answers, dice)
        except Lost as lost:
            print(f"seed {seed}: {lost}\n{torture.vault.tail()}")
            return 1
        finally:
            trouble.ended.set()
        refreshes = torture.sandbox.ledger()["refreshes"]
        print(f"ok {users} users, {seconds} s, {refreshes} redemptions, {trouble.kills} kills (seed {seed}): "
              f"{dict(healths)}, as the provider's ledger says; {doubted} had been in doubt; callers were told {counts}")
        it_would_notice(torture, {user: sessions[user] for user, answer in answers.items() if answer[0] == 200})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))

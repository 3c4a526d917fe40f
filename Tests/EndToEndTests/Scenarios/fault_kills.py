"""Kills the program at every system call that changes the disk, one after another, in every command that writes much.

Usage: fault_kills.py PROGRAM PLUGINS [SECONDS]. Needs strace; without it exits with 77 and says so.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from fault_tools import SKIPPED, Folder, Lost, lines, must_notice

# What reaches a disk, or makes a name last.
CALLS = ["pwrite64", "writev", "fdatasync", "fsync", "rename", "renameat2", "ftruncate", "mkdir", "link", "unlink"]
BASE = {f"base-{number}" for number in range(20)}
MORE = {f"more-{number}" for number in range(600)}
# One transaction of an import.
BATCH = 256


def killing(call, number, log):
    return ["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}"]


def strace_works():
    if not shutil.which("strace"):
        return "there is no strace"
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()[:80]}"


def after_init(vault, answered):
    if not answered:
        # Half of it would stand in the way of a second try, or open without a key.
        status, _, err = vault.run("init")
        if status not in (0, 3):
            raise Lost(f"init after a kill ended with {status}: {err}")
    vault.must_hold(set(), set())


def after_import(vault, answered):
    users = vault.must_hold(BASE | (MORE if answered else set()), MORE)
    count = len(users - BASE)
    if count % BATCH and count != len(MORE):
        raise Lost(f"{count} connections: a part of a transaction")
    vault.succeed("put", "after", "spotify", stdin='{"accessToken":"T"}')


def after_backup(vault, answered):
    file = os.path.join(vault.path, "new.backup")
    if answered or os.path.exists(file):
        vault.succeed("backup", "verify", file)
    vault.must_hold(BASE, set())


def after_restore(vault, answered):
    target = os.path.join(vault.path, "restored")
    if answered and not os.path.exists(target):
        raise Lost("the restored vault is not there")
    if not os.path.exists(target):
        return
    restored = Folder(vault.program, vault.path)
    done = restored.run("check", "--set", f"store.path={target}")
    if done[0] != 0:
        raise Lost(f"a half-restored vault: {done[1]}{done[2]}")


def after_rotate(vault, answered):
    vault.must_hold(BASE, set())
    if not answered:
        # The next one goes on where this one was stopped.
        vault.succeed("rotate")
        vault.must_hold(BASE, set())
    terms = json.loads(vault.succeed("rotate", "--status", "--json"))
    states = [term["state"] for term in terms["terms"]]
    if terms["unfinished"] or states.count("active") != 1 or "destroyed" not in states:
        raise Lost(f"after a rotation that was answered: {terms}")


def after_compact(vault, answered):
    del answered
    vault.must_hold(BASE, set())
    vault.succeed("compact")
    vault.must_hold(BASE, set())


def after_key(vault, answered):
    vault.must_hold(BASE, set())
    second = f"file:{vault.path}/second.key"
    if answered:
        vault.succeed("check", "--set", f"key.source={second}")
    else:
        # Neither a half-written key nor a slot without one may stand in the way.
        vault.succeed("key", "add", f"file:{vault.path}/third.key")
        vault.must_hold(BASE, set())


COMMANDS = [
    ("init", ["init"], "", after_init),
    ("import", ["import", "-"], lines(sorted(MORE)), after_import),
    ("backup", ["backup", "create", "{}/new.backup"], "", after_backup),
    ("restore", ["restore", "{}/old.backup", "--into", "{}/restored"], "", after_restore),
    ("rotate", ["rotate"], "", after_rotate),
    ("compact", ["compact"], "", after_compact),
    ("key add", ["key", "add", "file:{}/second.key"], "", after_key),
]


def main():
    program, limit = sys.argv[1], float(sys.argv[3]) if len(sys.argv) > 3 else 600
    reason = strace_works()
    if reason:
        print(f"kills at system calls: skipped, {reason}")
        return SKIPPED
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vault-kills-") as place:
        base = Folder(program, os.path.join(place, "base"))
        base.succeed("init")
        base.succeed("import", "-", stdin=lines(sorted(BASE)))
        base.succeed("backup", "create", os.path.join(base.path, "old.backup"))
        for turn, (name, words, stdin, holds) in enumerate(COMMANDS):
            kills = 0
            # What one leaves of its share of the time, the next has.
            end = start + limit * (turn + 1) / len(COMMANDS)
            # Round after round, so that a short time reaches every kind of call.
            left = list(CALLS)
            number = 0
            while left and time.monotonic() < end:
                number += 1
                for call in list(left):
                    if time.monotonic() >= end:
                        break
                    path = os.path.join(place, "run")
                    shutil.rmtree(path, ignore_errors=True)
                    if name != "init":
                        shutil.copytree(base.path, path, ignore=shutil.ignore_patterns("admin.sock"))
                    vault = Folder(program, path)
                    log = os.path.join(place, "strace.log")
                    words_here = [word.format(path) for word in words]
                    status, out, err = vault.run(*words_here, stdin=stdin, before=killing(call, number, log))
                    if status == 0:
                        left.remove(call)
                    elif status not in (-9, 137):
                        raise Lost(f"{name} ended with {status} under strace: {err}")
                    kills += status != 0
                    try:
                        holds(vault, status == 0)
                    except Lost as lost:
                        print(f"{name}, killed at {call} number {number}: {lost}")
                        return 1
            print(f"{name}: killed at {kills} system calls{' (out of time)' if left else ', all there are'}, nothing lost")
        it_would_notice(base, place)
    return 0


def it_would_notice(base, place):
    """Every command's look, at what was answered and not done, and at what was done by half."""
    empty = Folder(base.program, os.path.join(place, "empty"))
    must_notice("a vault that was answered and not made", lambda: after_init(empty, True))
    must_notice("an import that was answered and not written", lambda: after_import(base, True))
    must_notice("a restore that was answered and not done", lambda: after_restore(base, True))
    must_notice("a rotation that was answered and not done", lambda: after_rotate(base, True))
    must_notice("a key that was answered and opens nothing", lambda: after_key(base, True))
    must_notice("a backup that was answered and is not there", lambda: after_backup(base, True))
    half(os.path.join(base.path, "old.backup"), os.path.join(base.path, "new.backup"))
    must_notice("half a backup under its name", lambda: after_backup(base, False))
    restored = os.path.join(base.path, "restored")
    shutil.copytree(base.store, restored, ignore=shutil.ignore_patterns("admin.sock"))
    half(os.path.join(base.store, "data.mdb"), os.path.join(restored, "data.mdb"))
    must_notice("half a vault under its name", lambda: after_restore(base, False))
    half(os.path.join(base.store, "data.mdb"))
    for name, _, _, holds in COMMANDS:
        if name not in ("backup", "restore"):
            must_notice(f"a store that was cut, after {name}", lambda holds=holds: holds(base, False))


def half(path, to=None):
    """The first half of a file, in its place or in another's."""
    with open(path, "rb") as file:
        data = file.read()
    with open(to or path, "wb") as file:
        file.write(data[:len(data) // 2])


if __name__ == "__main__":
    sys.exit(main())

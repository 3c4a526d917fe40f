"""Fills a real, small file system with a vault, and looks whether it keeps its word when there is no room left.

Usage: fault_full_disk.py PROGRAM PLUGINS. Needs a mount namespace of its own; without it exits with 77 and says so.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile

from fault_tools import SKIPPED, Folder, Lost, lines, must_notice

FULL = 7


def age(path, days):
    """Makes a backup look as old in its beginning, which nothing but its tag proves."""
    with open(path, "r+b") as file:
        head = bytearray(file.read(144))
        head[120:128] = (int.from_bytes(head[120:128], "little") - days * 86_400_000).to_bytes(8, "little")
        head += file.read(int.from_bytes(head[140:144], "little"))
        file.seek(0)
        file.write(head + hashlib.blake2b(head, digest_size=16).digest())


def old_backups(vault):
    """Three full ones in the folder of a schedule, a day apart; the newest is a day old."""
    folder = os.path.join(vault.path, "backups")
    os.mkdir(folder, 0o700)
    name = json.loads(vault.succeed("status", "--json"))["vault"][:8]
    for days in (3, 2, 1):
        path = os.path.join(folder, f"vault-{name}-2020010{4 - days}T000000Z-full.backup")
        vault.succeed("backup", "create", path)
        age(path, days)
    return contents(folder)


def contents(folder):
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = file.read()
    return found


def served(vault):
    """Serves the vault until it has tried to make the backup that is due; what is in the folder then."""
    folder = os.path.join(vault.path, "backups")
    words = vault.words(
        "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--backup-directory", folder, "--backup-keep", "2")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as server:
        said = []
        for line in server.stderr:
            said.append(line)
            if "backup.removed" in line or "service.failed" in line and folder in line:
                break
        else:
            raise Lost(f"the server ended: {''.join(said)}")
        server.terminate()
        server.stderr.read()
    return contents(folder)


def keeps(before, after):
    """Whatever there was is there as it was, and nothing half beside it."""
    if after != before:
        raise Lost(f"on a full disk the backups went from {sorted(before)} to {sorted(after)}")


def inside(program, place):
    """In a namespace of its own, where `place` is 4 MiB large."""
    vault = Folder(program, place)
    vault.succeed("init")
    backups = old_backups(vault)
    answered, maybe = set(), set()
    for batch in range(100):
        users = {f"u{batch}-{number}" for number in range(100)}
        status, _, err = vault.run("import", "-", stdin=lines(sorted(users), "T" * 1500))
        if status == 0:
            answered |= users
            continue
        if status != FULL:
            raise Lost(f"a full disk ended with {status}: {err}")
        if "hint:" not in err:
            raise Lost(f"no hint: {err}")
        maybe = users
        break
    else:
        raise Lost("the disk did not become full")
    there = vault.must_hold(answered, set())
    must_notice("a write that was answered and is gone", lambda: vault.must_hold(answered | maybe, set()))
    keeps(backups, served(vault))
    # Room comes from deleting, and then it goes on.
    for user in sorted(there)[:60]:
        vault.succeed("delete", user)
        answered.discard(user)
    vault.succeed("put", "after", "spotify", stdin='{"accessToken":"T"}')
    vault.must_hold(answered | {"after"}, set())
    # The same schedule where there is room: the two newest stay.
    subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
    after = served(vault)
    must_notice("backups that were thinned out", lambda: keeps(backups, after))
    if len(after) != 2:
        raise Lost(f"of {sorted(backups)} and a new one there are left {sorted(after)}")
    print(f"full disk: {len(answered)} connections on 4 MiB, nothing lost")
    return 0


def main():
    program, plugins = sys.argv[1], sys.argv[2]
    if len(sys.argv) > 3:
        return inside(program, sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="vault-full-") as place:
        own = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
        mount = f"mount -t tmpfs -o size=4m none {place}"
        try:
            probe = subprocess.run([*own, "sh", "-c", mount], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            print("full disk: skipped, there is no unshare")
            return SKIPPED
        if probe.returncode != 0:
            print(f"full disk: skipped, no file system may be mounted here: {probe.stderr.strip()[:80]}")
            return SKIPPED
        script = f'{mount} && exec "$0" "$1" "$2" "$3" {place}'
        return subprocess.run(
            [*own, "sh", "-c", script, sys.executable, os.path.abspath(__file__), os.path.abspath(program), plugins],
            check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""Fills a real, small file system with a vault, and looks whether it keeps its word when there is no room left.

Usage: fault_full_disk.py PROGRAM PLUGINS. Needs a mount namespace of its own; without it exits with 77 and says so.
"""

import os
import subprocess
import sys
import tempfile

from fault_tools import SKIPPED, Folder, Lost, lines, must_notice

FULL = 7


def inside(program, place):
    """In a namespace of its own, where `place` is 4 MiB large."""
    vault = Folder(program, place)
    vault.succeed("init")
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
    # Room comes from deleting, and then it goes on.
    for user in sorted(there)[:60]:
        vault.succeed("delete", user)
        answered.discard(user)
    vault.succeed("put", "after", "spotify", stdin='{"accessToken":"T"}')
    vault.must_hold(answered | {"after"}, set())
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

"""A kernel without Landlock, made of this one by a filter that refuses the call: the operator is told what a plugin
could do, by `vault plugins` and in the server's log, and everything works.

Usage: missing_protection_test.py VAULT PLUGINS.
"""

import ctypes
import json
import struct
import subprocess
import sys
import tempfile

from fault_tools import SKIPPED, Lost
from vault_process import Vault

# <linux/prctl.h>, <linux/seccomp.h>; the call has the same number wherever Linux runs.
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
LANDLOCK_CREATE_RULESET = 444
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 38  # ENOSYS
WORDS = "without landlock it can read, while it is loaded, every file that the user of vault can"
libc = ctypes.CDLL(None, use_errno=True)


def without_landlock():
    """For this process and whatever it starts from here on. Load the number; is it that one? refuse; allow (<linux/filter.h>)."""
    code = b"".join(struct.pack("HBBI", *one) for one in [
        (0x20, 0, 0, 0), (0x15, 0, 1, LANDLOCK_CREATE_RULESET), (0x06, 0, 0, REFUSE), (0x06, 0, 0, ALLOW)])
    text = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", 4, ctypes.addressof(text))
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(SECCOMP, FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter")


def listed(program, plugins, *more):
    return subprocess.run(
        [program, "plugins", "--plugins-path", plugins, *more], capture_output=True, text=True, timeout=120,
        check=True).stdout


def lines_of_log(program, plugins, folder):
    """How often a server that has such a plugin, and serves its platform, says so."""
    with Vault(program, plugins, folder, lambda _: '[platforms.spotify]\nclient-id = "id"\n') as vault:
        status, out, _ = vault.run("status", "--json")
        if status != 0 or '"available":true' not in out:
            raise Lost(out)
        with open(vault.log, encoding="utf-8") as log:
            return sum(WORDS in line and "spotify.so" in line for line in log)


def main(program, plugins):
    here = [json.loads(line) for line in listed(program, plugins, "--json").splitlines()]
    if not all("landlock" in one["protections"] for one in here):
        print("skipped: this kernel has no Landlock, so what is said where it is missing cannot be told apart")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        said = lines_of_log(program, plugins, folder)
    if said or any(one["openings"] for one in here) or WORDS in listed(program, plugins):
        raise Lost("something is said to be missing where nothing is")

    without_landlock()
    bare = [json.loads(line) for line in listed(program, plugins, "--json").splitlines()]
    for one in bare:
        if "landlock" in one["protections"] or [WORDS in text for text in one["openings"]] != [True]:
            raise Lost(f"without Landlock: {one}")
    table = listed(program, plugins)
    if table.count(WORDS) != 1 or "spotify.so" not in next(line for line in table.splitlines() if WORDS in line):
        raise Lost(table)
    with tempfile.TemporaryDirectory() as folder:
        said = lines_of_log(program, plugins, folder)
    if said != 1:
        raise Lost(f"{said} lines of the log say so")
    print(f"ok {len(bare)} plugins without Landlock: what they could do is said, and they work")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

"""A /proc that hides processes, as ProtectProc=invisible makes one: what holds the plugins is told all the same, since
the kernel's own word on a child cannot be read there.

Usage: hidden_processes_test.py VAULT PLUGINS. Needs to be root, to mount such a /proc for one command and to run that as
somebody else; else exits with 77 and says so.
"""

import json
import os
import shutil
import subprocess
import sys

from fault_tools import SKIPPED, Lost

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
HIDE = 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"'


def run(hidden, *command):
    """As nobody, and with a /proc of its own where processes are hidden."""
    within = ["unshare", "--mount", "--propagation", "private", "sh", "-c", HIDE] if hidden else []
    return subprocess.run(
        [*within, *NOBODY, *command], capture_output=True, text=True, timeout=120, check=False, cwd="/",
        env={"HOME": "/", "PATH": os.environ["PATH"]})


def protections(hidden, program, plugins):
    done = run(hidden, program, "plugins", "--json", "--plugins-path", plugins)
    if done.returncode != 0:
        raise Lost(f"vault plugins ended with {done.returncode}: {done.stderr}")
    return {one["file"]: one["protections"] for one in map(json.loads, done.stdout.splitlines())}


def main(program, plugins):
    program, plugins = os.path.realpath(program), os.path.realpath(plugins)
    needed = [name for name in ("unshare", "setpriv") if shutil.which(name) is None]
    if os.geteuid() != 0 or needed:
        print(f"skipped: needs {' and '.join(needed) if needed else 'to be root'}")
        return SKIPPED
    if run(True, "true").returncode != 0 or run(False, program, "--version").returncode != 0:
        print("skipped: no /proc can be mounted here, or others may not run the program")
        return SKIPPED
    # The control: a process of somebody else is seen, and then it is not.
    seen = [run(hidden, "cat", "/proc/1/status").returncode == 0 for hidden in (False, True)]
    if seen != [True, False]:
        raise Lost(f"nothing is hidden: {seen}")
    open_, hidden = (protections(hidden, program, plugins) for hidden in (False, True))
    if not open_ or open_ != hidden:
        raise Lost(f"{open_} became {hidden}")
    print(f"ok {len(hidden)} plugins are held by the same where processes are hidden")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

"""A store on a file system that is read-only, and one whose owner is in another PID namespace, as in another container.

Usage: fault_guard_rails.py PROGRAM PLUGINS. Needs namespaces of its own; without them exits with 77 and says so.
"""

import os
import subprocess
import sys
import tempfile
import time

from fault_tools import SKIPPED, Folder, Lost, must_notice
from vault_process import free_port

OWN = ["unshare", "--mount", "--pid", "--fork", "--kill-child"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])


def refused(vault, arguments, before, *words):
    status, out, err = vault.run(*arguments, before=before)
    if status == 0:
        raise Lost(f"vault {' '.join(arguments)} worked: {out}")
    for word in ("hint:", *words):
        if word not in err:
            raise Lost(f"'{word}' is not in: {err}")


def read_only(vault):
    """The store's own folder mounted once more, read-only, seen by these commands alone."""
    mount = f'mount --bind "{vault.store}" "{vault.store}" && mount -o remount,ro,bind "{vault.store}" && exec "$0" "$@"'
    within = [*OWN, "sh", "-c", mount]
    refused(vault, ["status"], within, "mount the file system for writing")
    refused(vault, ["delete", "u"], within, "mount the file system for writing")
    vault.must_hold({"base"}, set())


def serve(port):
    return ["serve", "--set", f"listen=127.0.0.1:{port}", "--set", "admin=127.0.0.1:0"]


def other_container(vault):
    """Two servers of one store, each process 1 of its namespace: the number alone would say `this process`."""
    port = free_port()
    owner = subprocess.Popen(
        [*OWN, *vault.words(*serve(port))], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env={"HOME": vault.path, "PATH": os.environ["PATH"]})
    try:
        until = time.monotonic() + 60
        while not os.path.exists(os.path.join(vault.store, "admin.sock")):
            if owner.poll() is not None or time.monotonic() > until:
                raise Lost(f"the server did not start: {owner.poll()}")
            time.sleep(0.05)
        refused(vault, serve(free_port()), OWN, "another container")
        # Commands reach the owner through its socket wherever they run.
        vault.must_hold({"base"}, set())
    finally:
        # unshare would leave its child alone with SIGTERM; --kill-child passes its own end on.
        owner.kill()
        owner.communicate()
    vault.must_hold({"base"}, set())


def it_would_notice(vault):
    """Where nothing is read-only and nobody else has the store, each of these looks has to fail."""
    must_notice("a read-only store that is served", lambda: refused(vault, ["status"], [], "mount the file system"))
    must_notice("two owners of one store", lambda: refused(vault, ["status"], OWN, "another container"))
    must_notice("a refusal without the right words", lambda: refused(vault, ["show", "nobody", "x"], [], "mount"))


def main():
    try:
        probe = subprocess.run([*OWN, "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        print("guard rails: skipped, there is no unshare")
        return SKIPPED
    if probe.returncode != 0:
        print(f"guard rails: skipped, no namespace may be made here: {probe.stderr.strip()[:80]}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="vault-rails-") as place:
        vault = Folder(os.path.abspath(sys.argv[1]), place)
        vault.succeed("init")
        vault.succeed("put", "base", "spotify", stdin='{"accessToken":"T"}')
        read_only(vault)
        other_container(vault)
        it_would_notice(vault)
    print("guard rails: a read-only file system and an owner in another container, both refused with a hint")
    return 0


if __name__ == "__main__":
    sys.exit(main())

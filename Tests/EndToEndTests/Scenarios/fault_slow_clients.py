"""Attacks the server with slowhttptest: slow header fields, slow bodies, slow readers. It must let them go, and serve
everybody else meanwhile.

Usage: fault_slow_clients.py PROGRAM PLUGINS. Without slowhttptest exits with 77 and says so.
"""

import shutil
import subprocess
import sys
import tempfile
import time

from fault_tools import SKIPPED, Lost, must_notice
from vault_process import Browser, Vault

CONNECTIONS = 200
SECONDS = 14
ATTACKS = {
    "slow header fields": ["-H", "-i", "1"],
    "slow bodies": ["-B", "-i", "1", "-s", "8192", "-t", "POST", "-f", "application/json"],
    "slow readers": ["-X", "-w", "1", "-y", "1", "-n", "1", "-z", "1", "-k", "10"],
}
SHORT = '[login]\nper-minute = 100000\n[limits]\nhead-time = "2s"\nbody-time = "2s"\nidle-time = "3s"\n'
NONE = '[limits]\nhead-time = "10m"\nbody-time = "10m"\nidle-time = "1h"\n'


def connections(vault):
    """How many the server has open, by its own count."""
    text = Browser().call("GET", vault.admin + "/metrics")[2]
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("vault_http_connections "))


def attack(vault, what, path):
    """Runs one attack; raises Lost when its connections outlive it, or when others were not served."""
    command = ["slowhttptest", "-c", str(CONNECTIONS), "-r", str(CONNECTIONS), "-l", str(SECONDS), "-p", "5",
               "-x", "10", *ATTACKS[what], "-u", vault.url + path]
    most, left, slowest = 0, CONNECTIONS, 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None:
            began = time.monotonic()
            if Browser().call("GET", vault.url + "/auth/platforms")[0] != 200:
                raise Lost(f"{what}: others were not served")
            slowest = max(slowest, time.monotonic() - began)
            left = connections(vault)
            most = max(most, left)
            time.sleep(0.1)
    if most < CONNECTIONS / 2:
        raise AssertionError(f"{what}: only {most} connections came, so nothing was tried")
    # The attack holds what it has until its end; whatever is gone before, the server ended.
    if left > CONNECTIONS / 10:
        raise Lost(f"{what}: {left} of {most} connections outlived the attack of {SECONDS} s")
    if slowest > 5:
        raise Lost(f"{what}: others waited {slowest:.1f} s")
    print(f"{what}: {most} connections at once, all let go; others waited {slowest * 1000:.0f} ms at the most")


def visit(program, plugins, limits, body):
    with tempfile.TemporaryDirectory(prefix="vault-slow-") as folder:
        with Vault(program, plugins, folder, lambda _: limits, arguments=["--demo"]) as vault:
            body(vault)


def main(program, plugins):
    if shutil.which("slowhttptest") is None:
        print("slow clients: skipped, slowhttptest is not installed (Debian: apt-get install slowhttptest)")
        return SKIPPED

    def everything(vault):
        attack(vault, "slow header fields", "/auth/platforms")
        attack(vault, "slow bodies", "/auth/spotify/login")
        attack(vault, "slow readers", "/openapi.json")

    visit(program, plugins, SHORT, everything)
    # Where there are no limits worth the name, it has to find that out.
    visit(program, plugins, NONE, lambda vault: must_notice(
        "a server that waits for ever", lambda: attack(vault, "slow header fields", "/auth/platforms")))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

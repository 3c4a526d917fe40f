"""The server as a service: what it tells systemd, the unit file, and a reader that goes before the answer ends.

Usage: service_test.py VAULT PLUGINS. Exit status 0: all promises held.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from vault_process import Vault

UNIT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../Packaging/vault.service"))


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(60)

    def hears(self, word):
        """Waits for a message that holds this line."""
        while True:
            lines = self.socket.recv(4096).decode().splitlines()
            if word in lines:
                return lines


def check_notifications(program, plugins, folder):
    for name in (os.path.join(folder, "notify"), f"\0vault-test-{os.getpid()}"):
        manager = Manager(name)
        os.environ["NOTIFY_SOCKET"] = name.replace("\0", "@")
        os.environ["WATCHDOG_USEC"] = "1000000"
        place = tempfile.mkdtemp(dir=folder)
        try:
            with Vault(program, plugins, place, lambda _: "") as vault:
                assert any(line.startswith("STATUS=") for line in manager.hears("READY=1"))
                manager.hears("WATCHDOG=1")
                manager.hears("WATCHDOG=1")
                vault.process.send_signal(signal.SIGHUP)
                assert any(line.startswith("MONOTONIC_USEC=") for line in manager.hears("RELOADING=1"))
                manager.hears("READY=1")
                assert vault.stop() == 0
                manager.hears("STOPPING=1")
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
    print("ok systemd hears of ready, reloading, stopping, and that it lives")


def check_unit(program, folder):
    if shutil.which("systemd-analyze") is None:
        print("skipped: systemd-analyze is not installed")
        return
    unit = os.path.join(folder, "vault.service")
    with open(UNIT, encoding="utf-8") as source, open(unit, "w", encoding="utf-8") as target:
        target.write(source.read().replace("/usr/bin/vault", os.path.abspath(program)))
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    ours = [line for line in checked.stderr.splitlines() if "vault.service" in line]
    assert not ours, "\n".join(ours)
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True, check=False)
    exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", rated.stdout)[1])
    assert exposure < 2.5, rated.stdout
    print(f"ok the unit file is well formed, its exposure {exposure}")


def check_installation(program, folder):
    products, root = os.path.dirname(os.path.abspath(program)), os.path.join(folder, "root")
    conf = os.path.join(root, "etc/vault/vault.conf")
    install = ["sh", os.path.join(os.path.dirname(UNIT), "install.sh"), products, root]
    subprocess.run(install, check=True, capture_output=True)
    with open(conf, "a", encoding="utf-8") as file:
        file.write("# mine\n")
    again = subprocess.run(install, check=True, capture_output=True, text=True)
    assert "kept " + conf in again.stderr, again.stderr
    with open(conf, encoding="utf-8") as file:
        assert file.read().endswith("# mine\n")
    with open(UNIT, encoding="utf-8") as file:
        words = re.search(r"^ExecStart=(.*)$", file.read(), re.MULTILINE)[1].split()
    assert os.access(root + words[0], os.X_OK) and root + words[3] == conf, words
    with open(conf, encoding="utf-8") as file:
        path = re.search(r'^path = "(/usr[^"]*)"', file.read(), re.MULTILINE)[1]
    listed = subprocess.run(
        [root + words[0], "plugins", "--config", conf, "--plugins-path", root + path, "--json",
         "--store-path", os.path.join(folder, "none")], capture_output=True, text=True, check=False)
    names = {os.path.basename(name) for name in re.findall(r'"file":"([^"]+)"', listed.stdout)}
    assert {"spotify.so", "oidc.so"} <= names, listed.stdout + listed.stderr
    assert not [name for place in os.walk(root) for name in place[2] if name.startswith(".new")]
    print("ok make install puts things where the unit and vault.conf look, and keeps vault.conf")


def check_reader_that_leaves(program, plugins, folder):
    vault = Vault(program, plugins, tempfile.mkdtemp(dir=folder), lambda _: "")
    assert vault.run("init")[0] == 0
    lines = "".join(f'{{"user":"u{number}","platform":"x","accessToken":"T"}}\n' for number in range(3000))
    status, _, err = vault.run("import", "-", stdin=lines)
    assert status == 0, err
    export = subprocess.Popen(
        [program, "export", "--config", vault.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert export.stdout.readline().startswith(b"{")
    export.stdout.close()
    said = export.stderr.read().decode()
    export.stderr.close()
    assert export.wait(timeout=60) == -signal.SIGPIPE and said == "", (export.returncode, said)
    assert '"sound":true' in vault.run("check", "--json")[1]
    print("ok a reader that leaves ends an export without a word")


def main(program, plugins):
    with tempfile.TemporaryDirectory(prefix="vault-service-") as folder:
        check_notifications(program, plugins, folder)
        check_unit(program, folder)
        check_installation(program, folder)
        check_reader_that_leaves(program, plugins, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

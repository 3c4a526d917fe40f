"""Runs every command of README.md's console blocks, in their order, beside a running server.

Usage: readme_test.py VAULT PLUGINS. Exit status 0: all of them succeeded.

`make run` and `make test` are left out: this suite is what `make test` runs, and `make run` is the same program
with the settings used here. The PATH is the test's own.
"""

import os
import re
import subprocess
import sys
import tempfile

from vault_process import Vault

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
LEFT_OUT = ("make run", "make test", 'export PATH="$PWD/.build/release:$PATH"')


def commands():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        blocks = re.findall(r"^```console\n(.*?)^```", readme.read(), re.S | re.M)
    lines = [line[2:].split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if line not in LEFT_OUT]


def check_plugins():
    """The plugins shown are those of Plugin-ABI.md, which another test compiles and loads."""
    with open(os.path.join(ROOT, "Sources/Vault/Documentation.docc/Plugin-ABI.md"), encoding="utf-8") as file:
        page = file.read()
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        shown = re.findall(r"^```(?:c|swift)\n.*?^```", readme.read(), re.S | re.M)
    assert len(shown) == 2, f"{len(shown)} plugins in README.md"
    for plugin in shown:
        assert plugin in page, "a plugin in README.md is not the one of Plugin-ABI.md"


def main(program, plugins):
    check_plugins()
    found = commands()
    assert len(found) > 15, f"only {len(found)} commands in README.md"
    with tempfile.TemporaryDirectory(prefix="vault-readme-") as folder:
        vault = Vault(program, plugins, folder, lambda vault: "[sandbox]\nport = 0\n", arguments=["--sandbox", "--demo"])
        with vault:
            # The README names the default ports; this server has free ones.
            script = "".join(f"echo '$ '{_quoted(line)}\n{line}\n" for line in found)
            script = script.replace("http://127.0.0.1:8000", vault.url).replace("http://127.0.0.1:8001", vault.admin)
            script = script.replace("curl -s", "curl -sf")
            environment = dict(os.environ, VAULT_CONFIG=vault.config)
            environment["PATH"] = os.path.dirname(program) + os.pathsep + environment["PATH"]
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, capture_output=True,
                text=True, timeout=120, check=False)
            if done.returncode != 0:
                print(done.stdout[-3000:], done.stderr[-3000:], vault.tail(), sep="\n")
                return 1
    print(f"ok the {len(found)} commands of README.md")
    return 0


def _quoted(line):
    return "'" + line.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

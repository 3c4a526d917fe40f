"""Lets schemathesis look for requests to which the server does not answer as /openapi.json says.

Usage: contract_test.py VAULT PLUGINS [SECONDS]. Exit status 0: nothing was found; 77: it cannot run here.
"""

import os
import shutil
import subprocess
import sys
import tempfile

from vault_process import Browser, Vault, free_port

HERE = os.path.dirname(os.path.abspath(__file__))

# Limits would end the search after a few requests; that they hold is another test's.
LIMITS = """
[login]
per-minute = 100000
callbacks-per-minute = 100000
[refresh]
per-minute = 100000
[platforms.broken]
provider = "nobody"
client-id = "x"
"""

CONFIG = """
[dictionaries.platforms]
values = ["sandbox", "broken", "nowhere"]
[parameters]
"path.platform" = { dictionary = "platforms", probability = 0.7 }
[checks]
# The vault says 503 for a platform that is not available, and 502 for one that refuses it.
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 502, 503]
# A well-formed request may still be about something that is not there, or not allowed.
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 405, 409, 502, 503]
[[operations]]
include-operation-id = "login"
# Which returnTo is allowed the settings say, and no document can.
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 405, 409, 502, 503]
"""


def schemathesis():
    """The command, beside this Python or on the PATH; None when it is not installed."""
    own = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    return own if os.access(own, os.X_OK) else shutil.which("schemathesis")


def search(vault, folder, seconds, url, hooks=True):
    """Runs it; returns its exit status and what it says."""
    config = os.path.join(folder, "schemathesis.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG)
    # Nothing of this machine's decides: no proxy between the two.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"CONTRACT_VAULT": vault.url, "PYTHONPATH": HERE, "NO_PROXY": "*"}
    if hooks:
        environment["SCHEMATHESIS_HOOKS"] = "contract_session"
    done = subprocess.run(
        [schemathesis(), "--config-file", config, "run", url, "--url", vault.url, "--max-time", str(seconds),
         "--continue-on-failure", "--no-color"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds * 3 + 120, check=False)
    return done.returncode, done.stdout + done.stderr


def check_it_would_notice(vault, folder):
    """A document that lies about one answer must be found out."""
    _, _, document = Browser().call("GET", vault.url + "/openapi.json")
    platforms = document["paths"]["/auth/platforms"]["get"]
    platforms["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    document["paths"] = {"/auth/platforms": {"get": platforms}}
    path = os.path.join(folder, "lie.json")
    with open(path, "w", encoding="utf-8") as file:
        import json

        json.dump(document, file)
    status, said = search(vault, folder, 2, path, hooks=False)
    assert status == 1 and "Response violates schema" in said, said


def main(program, plugins, seconds="6"):
    if schemathesis() is None:
        print("skipped: the Python package schemathesis is not installed (make test puts it into .build/e2e-venv)")
        return 77
    with tempfile.TemporaryDirectory(prefix="vault-contract-") as folder:
        vault = Vault(program, plugins, folder, lambda _: LIMITS,
                      arguments=["--sandbox", "--sandbox-port", str(port := free_port())])
        with vault:
            Browser().call("POST", f"http://127.0.0.1:{port}/control", body={"autoApprove": "Ada"})
            check_it_would_notice(vault, folder)
            status, said = search(vault, folder, int(seconds), vault.url + "/openapi.json")
            if status != 0:
                print(said)
                return 1
            assert vault.stop() == 0
        with open(vault.log, encoding="utf-8") as log:
            errors = [line for line in log if '"level":"error"' in line and '"code":"internal"' in line]
        assert not errors, errors[:5]
    print("ok", said.strip().splitlines()[-1].strip("= "))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

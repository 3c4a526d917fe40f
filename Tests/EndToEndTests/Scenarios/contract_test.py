"""Lets schemathesis look for requests to which the server does not answer as /openapi.json says.

Usage: contract_test.py VAULT PLUGINS [SECONDS]. Exit status 0: nothing was found; 77: it cannot run here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from vault_process import Browser, Vault, bearer, fragment, free_port

HERE = os.path.dirname(os.path.abspath(__file__))

# Limits would end the search after a few requests; that they hold is another test's.
LIMITS = """
[login]
per-minute = 100000
callbacks-per-minute = 100000
[refresh]
per-minute = 100000
[service]
per-minute = 100000
[session]
per-minute = 100000
[platforms.broken]
provider = "nobody"
client-id = "x"
"""

CONFIG = """
[dictionaries.platforms]
values = ["sandbox", "broken", "nowhere"]
[dictionaries.users]
values = ["USER"]
[parameters]
"path.platform" = { dictionary = "platforms", probability = 0.7 }
"path.userId" = { dictionary = "users", probability = 0.7 }
[checks]
# The vault says 503 for a platform that is not available, and 502 for one that refuses it.
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 502, 503]
# A well-formed request may still be about something that is not there, or not allowed.
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 405, 409, 502, 503]
[[operations]]
include-operation-id = "login"
# Which returnTo is allowed the settings say, and no document can.
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 405, 409, 502, 503]
[[operations]]
include-tag = "services"
# A user's name, an account's id and a whole grant are measured in bytes: no schema can say that either.
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 405, 409, 502, 503]
"""


def schemathesis():
    """The command, beside this Python or on the PATH; None when it is not installed."""
    own = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    return own if os.access(own, os.X_OK) else shutil.which("schemathesis")


# Operations that only a service key may try, as the metrics name them.
SERVICE = [("GET", "/connections"), ("GET", "/connections/{platform}/token"), ("PUT", "/connections/{platform}"),
           ("DELETE", "/connections/{platform}"), ("DELETE", "/sessions")]


def services_not_tried(vault):
    """The operations of `/v1` that never got their 200: they were not really tried."""
    metrics = Browser().call("GET", vault.admin + "/metrics")[2]
    tried = [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in metrics.splitlines()]
    done = {(one.get("method"), one.get("route")) for one in tried if one.get("status") == "200"}
    return {(method, "/v1/users/{userId}" + rest) for method, rest in SERVICE} - done


def search(vault, folder, seconds, url, user="nobody", key=None):
    """Runs it as this user, and with this service key; returns its exit status and what it says."""
    config = os.path.join(folder, "schemathesis.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG.replace("USER", user))
    # Nothing of this machine's decides: no proxy between the two.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"CONTRACT_VAULT": vault.url, "PYTHONPATH": HERE, "NO_PROXY": "*"}
    if key:
        environment |= {"SCHEMATHESIS_HOOKS": "contract_session", "CONTRACT_SERVICE_KEY": key}
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
        json.dump(document, file)
    status, said = search(vault, folder, 2, path)
    assert status == 1 and "Response violates schema" in said, said


def log_in(vault):
    """The user of a login at the sandbox."""
    browser = Browser()
    start = browser.call("POST", vault.url + "/auth/sandbox/login")[2]
    at_vault = browser.call("GET", start["authorizationUrl"])[1]["Location"]
    session = fragment(browser.call("GET", at_vault)[1])["session"]
    return browser.call("GET", vault.url + "/auth/session", headers=bearer(session))[2]["user"]


def main(program, plugins, seconds="8"):
    if schemathesis() is None:
        print("skipped: the Python package schemathesis is not installed (make test puts it into .build/e2e-venv)")
        return 77
    with tempfile.TemporaryDirectory(prefix="vault-contract-") as folder:
        vault = Vault(program, plugins, folder, lambda _: LIMITS,
                      arguments=["--sandbox", "--sandbox-port", str(port := free_port())])
        with vault:
            Browser().call("POST", f"http://127.0.0.1:{port}/control", body={"autoApprove": "Ada"})
            check_it_would_notice(vault, folder)
            actions = [word for action in ("read-connections", "read-token", "write", "delete", "end-sessions")
                       for word in ("--action", action)]
            status, key, said = vault.run("service", "create", "contract", *actions)
            assert status == 0, said
            assert len(services_not_tried(vault)) == len(SERVICE), "they were tried before anybody tried them"
            status, said = search(
                vault, folder, int(seconds), vault.url + "/openapi.json", log_in(vault), key.strip())
            if status != 0:
                print(said)
                return 1
            missing = services_not_tried(vault)
            assert not missing, f"never answered with 200: {missing}"
            assert vault.stop() == 0
        with open(vault.log, encoding="utf-8") as log:
            errors = [line for line in log if '"level":"error"' in line and '"code":"internal"' in line]
        assert not errors, errors[:5]
    print("ok", said.strip().splitlines()[-1].strip("= "))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

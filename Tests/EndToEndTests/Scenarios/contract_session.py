"""What schemathesis loads besides the contract: a session with a real connection for every second of it.

A new one each second, because the requests that are tried also log out, disconnect and revoke.
"""

import os

import schemathesis

from vault_process import Browser, fragment

VAULT = os.environ["CONTRACT_VAULT"]


def log_in():
    """A whole login at the sandbox, which says yes by itself."""
    browser = Browser()
    status, _, start = browser.call("POST", VAULT + "/auth/sandbox/login")
    assert status == 200, start
    _, headers, _ = browser.call("GET", start["authorizationUrl"])
    _, headers, _ = browser.call("GET", headers["Location"])
    return fragment(headers)["session"]


@schemathesis.auth(refresh_interval=1)
class Session:
    """Sends it as `Authorization: Bearer`."""

    def get(self, case, context):
        return log_in()

    def set(self, case, session, context):
        case.headers = {**(case.headers or {}), "Authorization": "Bearer " + session}

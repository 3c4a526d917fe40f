"""What schemathesis loads besides the contract: who asks. A session with a real connection for every second of it, a
new one each second, because the requests that are tried also log out, disconnect and revoke; a service key for `/v1`.
"""

import os

import schemathesis

from vault_process import Browser, fragment

VAULT = os.environ["CONTRACT_VAULT"]
SERVICE_KEY = os.environ["CONTRACT_SERVICE_KEY"]


def log_in():
    """A whole login at the sandbox, which says yes by itself."""
    browser = Browser()
    status, _, start = browser.call("POST", VAULT + "/auth/sandbox/login")
    assert status == 200, start
    _, headers, _ = browser.call("GET", start["authorizationUrl"])
    _, headers, _ = browser.call("GET", headers["Location"])
    return fragment(headers)["session"]


def send(case, token):
    """As `Authorization: Bearer`."""
    case.headers = {**(case.headers or {}), "Authorization": "Bearer " + token}


@schemathesis.auth(refresh_interval=1).skip_for(path_regex="^/v1/")
class Session:
    """A user's browser."""

    def get(self, case, context):
        return log_in()

    def set(self, case, session, context):
        send(case, session)


@schemathesis.auth().apply_to(path_regex="^/v1/")
class Service:
    """A back end."""

    def get(self, case, context):
        # Besides the browsers' own: who connects again after a `/v1` disconnect.
        log_in()
        return SERVICE_KEY

    def set(self, case, key, context):
        send(case, key)

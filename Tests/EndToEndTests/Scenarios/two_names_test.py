"""One provider under two names of vault.conf, one user connected at both: what happens to one leaves the other alone.

Usage: two_names_test.py VAULT PLUGINS. Exit status 0: all promises held.
"""

import os
import sys
import tempfile

from second_provider import SecondProvider
from vault_process import Browser, Vault, bearer, fragment

NAMES = ("radio", "radio-work")


def platforms(provider):
    """The second name is written as an operator would: the first one's section, and which provider it means."""
    return lambda vault: "".join(
        provider.platform(vault).replace("platforms.radio]", f"platforms.{name}]")
        .replace("/auth/radio/", f"/auth/{name}/") for name in NAMES)


def log_in(vault, name, session=None):
    browser = Browser()
    headers = bearer(session) if session else None
    status, _, start = browser.call("POST", f"{vault.url}/auth/{name}/login", body={}, headers=headers)
    assert status == 200, start
    callback = browser.call("GET", start["authorizationUrl"])[1]["Location"]
    assert callback.startswith(f"{vault.url}/auth/{name}/callback"), callback
    answer = fragment(browser.call("GET", callback)[1])
    assert answer.get("platform") == name and "session" in answer, answer
    return answer["session"]


def main(program, plugins):
    with tempfile.TemporaryDirectory(prefix="vault-names-") as folder:
        provider = SecondProvider(program, folder)
        vault = Vault(program, plugins, folder, platforms(provider))
        client = {"id": "radio", "secret": "radio-secret", "name": "Vault demo",
                  "redirectURIs": [f"{vault.url}/auth/{name}/callback" for name in NAMES]}
        try:
            provider.start(vault, client)
            assert Browser().call("POST", provider.issuer + "/control", body={"autoApprove": "Ada"})[0] == 200
            with vault:
                check(vault, provider)
                assert vault.stop() == 0
        finally:
            provider.stop()
    return 0


def check(vault, provider):
    first, second = NAMES
    session = log_in(vault, second, log_in(vault, first))

    def ask(method, path):
        status, _, answer = Browser().call(method, vault.url + path, headers=bearer(session))
        return status, answer

    def connected():
        return [one["platform"] for one in ask("GET", "/auth/session")[1]["connections"]]

    def token(name, how="GET", path="token"):
        status, answer = ask(how, f"/auth/{name}/{path}")
        assert status == 200, answer
        return answer["accessToken"]

    def is_good(access_token):
        return Browser().call("GET", provider.issuer + "/userinfo", headers=bearer(access_token))[0] == 200

    assert connected() == list(NAMES), connected()
    tokens = {name: token(name) for name in NAMES}
    assert tokens[first] != tokens[second] and all(map(is_good, tokens.values()))
    fresh = token(second, "POST", "refresh")
    assert fresh != tokens[second] and token(first) == tokens[first] and is_good(tokens[first])
    print("ok two connections of one user, each refreshed for itself")

    assert ask("DELETE", f"/auth/{first}") == (200, {"deleted": True, "revoked": "yes"})
    assert connected() == [second], connected()
    assert not is_good(tokens[first]) and is_good(fresh)
    status, problem = ask("GET", f"/auth/{first}/token")
    assert status == 404 and problem["code"] == "no-connection", problem
    assert is_good(token(second, "POST", "refresh"))
    print("ok a disconnect of one leaves the other")


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))

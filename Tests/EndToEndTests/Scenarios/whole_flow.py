"""The whole flow against an authorization server nobody here wrote, through one of the generic plugins.

A server is a context manager with `issuer`, `settings`, `client_id`, `client_secret`, `redirect_uris`, `userinfo`,
`consent(name, url)`, which ends at the callback, and `refresh(token)`, which redeems a token behind the vault's back.
"""

import json
import os
import re
import tempfile

from vault_process import Browser, Vault, bearer, fragment


def platforms(idp, secret_file):
    return lambda vault: f"""
[platforms.idp]
issuer = "{idp.issuer}"
{idp.settings}
client-id = "{idp.client_id}"
client-secret = "file:{secret_file}"
redirect-uri = "{vault.url}/auth/idp/callback"
scopes = ["openid"]
insecure-loopback = true
"""


def begin(vault, browser, session=None):
    status, _, answer = browser.call(
        "POST", vault.url + "/auth/idp/login", body={}, headers=bearer(session) if session else None)
    assert status == 200, f"login answered {status}: {answer}\n{vault.tail()}"
    return answer["authorizationUrl"]


def connect(vault, idp, name, session=None):
    """One login from the first click to the session; returns the browser, the session and the callback."""
    browser = Browser()
    callback = idp.consent(name, begin(vault, browser, session))
    status, headers, answer = browser.call("GET", callback)
    assert status == 303, f"callback answered {status}: {answer}\n{vault.tail()}"
    result = fragment(headers)
    assert "session" in result, f"no session but {result}\n{vault.tail()}"
    return browser, result["session"], callback


def check_login_and_tokens(vault, idp):
    browser, session, callback = connect(vault, idp, "ada")

    status, headers, _ = browser.call("GET", callback)
    assert status == 303 and "session" in fragment(headers), "the same callback from the same browser answers the same"
    status, _, problem = Browser().call("GET", callback)
    assert status == 403, f"another browser must be refused, not {status}: {problem}"

    status, _, token = browser.call("GET", vault.url + "/auth/idp/token", headers=bearer(session))
    assert status == 200 and token["accessToken"], token
    assert "refreshToken" not in json.dumps(token), "a refresh token left the vault"
    status, _, info = Browser().call("GET", idp.userinfo, headers=bearer(token["accessToken"]))
    assert status == 200, f"the access token is not good at the provider: {status} {info}"

    status, _, fresh = browser.call("POST", vault.url + "/auth/idp/refresh", headers=bearer(session))
    assert status == 200 and fresh["accessToken"] != token["accessToken"], fresh
    status, _, again = browser.call("POST", vault.url + "/auth/idp/refresh", headers=bearer(session))
    assert status == 200, f"the rotated refresh token was not kept: {again}"
    print("ok login, token, refresh with rotation")
    return session


def user_of(vault, session):
    status, _, answer = Browser().call("GET", vault.url + "/auth/session", headers=bearer(session))
    assert status == 200, answer
    return answer["user"]


def check_same_account_same_user(vault, idp, session):
    _, second, _ = connect(vault, idp, "ada")
    assert user_of(vault, second) == user_of(vault, session), "the same account must find its user again"
    _, other, _ = connect(vault, idp, "grace")
    assert user_of(vault, other) != user_of(vault, session), "another account must not"
    print("ok the same account finds its user again")
    return second


def check_bad_code(vault, idp):
    browser = Browser()
    callback = idp.consent("ada", begin(vault, browser))
    wrong = re.sub(r"([?&]code=)[^&]*", r"\g<1>" + "0" * 32, callback)
    status, headers, answer = browser.call("GET", wrong)
    result = fragment(headers)
    assert status == 303 and result.get("error") == "restart-login", f"{status} {result} {answer}\n{vault.tail()}"
    print("ok a bad code restarts the login")


def check_dead_grant(vault, idp, session):
    """A refresh token that was spent elsewhere."""
    status, _, problem = Browser().call("POST", vault.url + "/auth/idp/refresh", headers=bearer(session))
    assert status == 200, problem
    status, out, err = vault.run("show", user_of(vault, session), "idp", "--reveal", "--json")
    assert status == 0, err
    spent = json.loads(out)["refreshToken"]
    assert idp.refresh(spent)[0] == 200
    status, _, problem = Browser().call("POST", vault.url + "/auth/idp/refresh", headers=bearer(session))
    assert problem.get("code") == "reconnect", f"{status}: {problem}\n{vault.tail()}"
    status, _, problem = Browser().call("POST", vault.url + "/auth/idp/refresh", headers=bearer(session))
    assert problem.get("code") == "reconnect", f"{status}: {problem}"
    print("ok a spent refresh token asks to reconnect")


def check_disconnect(vault, idp):
    _, session, _ = connect(vault, idp, "ada")
    status, _, token = Browser().call("GET", vault.url + "/auth/idp/token", headers=bearer(session))
    assert status == 200, f"a new consent must mend a dead grant: {token}"
    status, _, answer = Browser().call("DELETE", vault.url + "/auth/idp", headers=bearer(session))
    assert status == 200 and answer == {"deleted": True, "revoked": "yes"}, answer
    status, _, problem = Browser().call("GET", vault.url + "/auth/idp/token", headers=bearer(session))
    assert status == 404 and problem["code"] == "no-connection", problem
    status, _, _ = Browser().call("DELETE", vault.url + "/auth/session", headers=bearer(session))
    assert status == 204
    status, _, problem = Browser().call("GET", vault.url + "/auth/session", headers=bearer(session))
    assert status == 401, problem
    print("ok disconnect revokes at the provider; log out ends the session")


def run(program, plugins, idp):
    with tempfile.TemporaryDirectory(prefix="vault-e2e-") as folder:
        secret = os.path.join(folder, "client-secret")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(idp.client_secret)
        vault = Vault(program, plugins, folder, platforms(idp, secret))
        idp.redirect_uris.append(vault.url + "/auth/idp/callback")
        with idp, vault:
            session = check_login_and_tokens(vault, idp)
            session = check_same_account_same_user(vault, idp, session)
            check_bad_code(vault, idp)
            check_dead_grant(vault, idp, session)
            check_disconnect(vault, idp)
            with open(vault.log, encoding="utf-8") as log:
                text = log.read()
            assert idp.client_secret not in text and "eyJ" not in text, "a secret is in the log"
            assert vault.stop() == 0, "SIGTERM must end it cleanly"
            print("ok nothing secret in the log; stopped cleanly")
    return 0

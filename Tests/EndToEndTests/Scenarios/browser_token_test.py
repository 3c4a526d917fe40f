"""A platform that gives its token to the browser, in a real browser, against the real program.

The vault knows the sandbox's second half as the platform `music`: it signs its JWT with a P-256 key that openssl made,
the page opens the sandbox's window with it, the window posts the token back, and the page hands it in.
Usage: browser_token_test.py VAULT PLUGINS. Exit status 0: all promises held; 77: it cannot run here.
"""

import os
import shutil
import subprocess
import sys
import tempfile

from browser_test import chromium, missing
from other_origin import Frontend
from second_provider import SecondProvider
from vault_process import Browser, Vault

SCRIPT = """
import { VaultClient, tokenFromWindow } from "%(vault)s/client.js";
const vault = new VaultClient({ baseURL: "%(vault)s" });
let asked = "";
const authorize = (clientToken) => {
  asked = clientToken;
  const query = new URLSearchParams({ client_token: clientToken, origin: location.origin });
  return tokenFromWindow("%(sandbox)s/music/authorize?" + query);
};
const button = document.createElement("button");
button.textContent = "Connect";
button.onclick = async () => {
  window.outcome = undefined;
  window.outcome = await vault.login("music", { authorize }).catch((error) => ({ code: error.code }));
};
document.body.append(button);
window.ready = { vault, token: () => asked };
"""


def make_key(folder):
    """The private key's file and the public key's text."""
    private = os.path.join(folder, "AuthKey_TEST.p8")
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", private],
                   check=True, capture_output=True)
    os.chmod(private, 0o600)
    public = subprocess.run(["openssl", "pkey", "-in", private, "-pubout"], check=True, capture_output=True, text=True)
    return private, public.stdout


def check_page(page, frontend, sandbox, vault):
    def ask(code):
        return page.evaluate("async () => { const { vault } = window.ready; " + code + " }")

    def connect(act):
        try:
            with page.expect_popup() as opened:
                page.get_by_role("button", name="Connect").click()
        except Exception:
            print("no window was opened:", page.evaluate("() => window.outcome"))
            raise
        act(opened.value)
        page.wait_for_function("() => window.outcome !== undefined")
        return page.evaluate("() => window.outcome")

    page.goto(frontend.url + "/")
    page.wait_for_function("() => window.ready")
    assert connect(lambda window: window.close()) == {"code": "access_denied"}, "a closed window is a no"
    no = connect(lambda window: window.get_by_role("button", name="Cancel and go back").click())
    assert no == {"code": "access_denied"}, no

    # Anybody can post a message to the page: only the window's own counts.
    def forge_then_consent(window):
        page.evaluate("() => window.postMessage({ token: 'forged' }, '*')")
        window.get_by_role("button", name="Ada Lovelace").click()

    assert connect(forge_then_consent) == {"platform": "music"}
    token = ask("return vault.token('music');")
    assert token["accessToken"].startswith("sat_") and "expiresAt" not in token, token
    headers = {"Authorization": "Bearer " + token["clientToken"], "Music-User-Token": token["accessToken"]}
    assert Browser().call("GET", sandbox.issuer + "/music/me", headers=headers)[0] == 200, "the API takes both"
    assert Browser().call("GET", sandbox.issuer + "/music/me", headers={
        **headers, "Authorization": "Bearer " + token["clientToken"][:-4] + "AAAA"})[0] == 401, "a forged JWT"
    assert ask("return (await vault.refresh('music')).accessToken;") == token["accessToken"]
    connection = ask("return (await vault.session()).connections[0];")
    assert connection["health"] == "healthy" and "expiresAt" not in connection, connection

    # The user takes it back in the account's settings.
    ledger = Browser().call("GET", sandbox.issuer + "/ledger")[2]
    grant = [one["id"] for one in ledger["grants"].values() if one["user"] == "ada"][-1]
    Browser().call("POST", sandbox.issuer + "/control", body={"revokeGrant": grant})
    assert ask("return vault.refresh('music').catch((e) => e.code);") == "reconnect"
    assert ask("return (await vault.session()).connections[0].health;") == "reconnect"
    assert ask("return vault.token('music').catch((e) => e.code);") == "reconnect"
    user = ask("return (await vault.session()).user;")
    assert connect(lambda window: window.get_by_role("button", name="Ada Lovelace").click()) == {"platform": "music"}
    assert ask("return (await vault.session()).user;") == user, "the session's user stays"
    assert ask("return (await vault.session()).connections[0].health;") == "healthy"

    assert ask("return vault.disconnect('music');") == {"deleted": True, "revoked": "unsupported"}
    with open(vault.log, encoding="utf-8") as log:
        text = log.read()
    assert token["accessToken"] not in text and token["clientToken"] not in text, "a token is in the log"


def main():
    why = missing() or (None if shutil.which("openssl") else "openssl is not installed")
    if why:
        print("skipped: " + why)
        return 77
    from playwright.sync_api import sync_playwright

    program, plugins = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder, Frontend() as frontend:
        private, public = make_key(folder)
        sandbox = SecondProvider(program, folder)

        def platforms(_):
            return f"""
[platforms.music]
provider = "sandbox-music"
issuer = "{sandbox.issuer}"
client-id = "TEAM"
key-id = "KEY"
client-secret = "file:{private}"
insecure-loopback = true
"""

        vault = Vault(program, plugins, folder, platforms, frontend.url, ["--demo"])
        frontend.files["/own.js"] = ("text/javascript", SCRIPT % {"vault": vault.url, "sandbox": sandbox.issuer})
        sandbox.start(vault, {"id": "TEAM", "secret": "unused", "name": "Vault demo",
                              "redirectURIs": [frontend.url + "/"], "publicKey": public, "keyID": "KEY"})
        try:
            with vault, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
                page = browser.new_context().new_page()
                page.set_default_timeout(30000)
                check_page(page, frontend, sandbox, vault)
                browser.close()
        finally:
            sandbox.stop()
    print("browser_token_test: all promises held")
    return 0


if __name__ == "__main__":
    sys.exit(main())

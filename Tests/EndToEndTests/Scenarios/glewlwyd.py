"""Debian's glewlwyd, an authorization server nobody here wrote, with one user and one client."""

import base64
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
import urllib.error

from vault_process import Browser, free_port

SCHEMA = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"


def missing():
    """Why it cannot run here, or None."""
    if shutil.which("glewlwyd") is None or not os.path.exists(SCHEMA):
        return "glewlwyd is not installed (Debian: apt-get install glewlwyd)"
    if shutil.which("openssl") is None:
        return "openssl is not installed"
    return None


class Glewlwyd:
    client_id = "vault"
    client_secret = "client-password-of-some-length"
    settings = 'provider = "oidc"'

    def __init__(self, redirect_uris):
        self.redirect_uris = redirect_uris
        # Its SQLite file is slow on a disk that really flushes.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="glewlwyd-", dir=memory)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = self.url + "/api/oidc"
        self.userinfo = self.issuer + "/userinfo"
        self.process = None

    def __enter__(self):
        with open(SCHEMA, encoding="utf-8") as schema:
            database = sqlite3.connect(self.folder + "/db")
            database.executescript(schema.read())
            database.commit()
            database.close()
        with open(self.folder + "/conf", "w", encoding="utf-8") as conf:
            conf.write(self._configuration())
        self.process = subprocess.Popen(["glewlwyd", f"--config-file={self.folder}/conf"], stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                Browser().call("GET", self.url + "/config")
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        self._register()
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configuration(self):
        return f"""
port={self.port}
bind_address="127.0.0.1"
external_url="{self.url}"
login_url="login.html"
api_prefix="api"
log_mode="file"
log_level="WARNING"
log_file="{self.folder}/log"
cookie_secure=0
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
hash_algorithm="SHA256"
database = {{ type = "sqlite3"; path = "{self.folder}/db"; }};
"""

    def _register(self):
        key, public = self.folder + "/key.pem", self.folder + "/public.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
        with open(key, encoding="utf-8") as private_file, open(public, encoding="utf-8") as public_file:
            keys = {"key": private_file.read(), "cert": public_file.read()}
        admin = Browser()
        self._must(admin, "POST", "/api/auth/", {"username": "admin", "password": "password"})
        self._must(admin, "POST", "/api/mod/plugin/", {
            "module": "oidc", "name": "oidc", "display_name": "OIDC", "parameters": {
                "iss": self.issuer, "jwt-type": "rsa", "jwt-key-size": "256", **keys,
                "access-token-duration": 3600, "refresh-token-duration": 1209600, "code-duration": 600,
                "refresh-token-rolling": False, "refresh-token-one-use": "always", "allow-non-oidc": True,
                "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True,
                "auth-type-token-enabled": False, "auth-type-id-token-enabled": True,
                "auth-type-password-enabled": False, "auth-type-client-enabled": False,
                "auth-type-refresh-enabled": True, "auth-type-device-enabled": False,
                "pkce-allowed": True, "pkce-method-plain-allowed": False, "pkce-required": True,
                "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
                "subject-type": "public", "jwks-show": True,
            }})
        for name in ("ada", "grace"):
            self._must(admin, "POST", "/api/user/", {
                "username": name, "name": name.title(), "email": name + "@example.test",
                "password": "correct horse battery", "scope": ["openid", "g_profile"], "enabled": True})
        self._must(admin, "POST", "/api/client/", {
            "client_id": self.client_id, "name": "vault", "confidential": True, "password": self.client_secret,
            "redirect_uri": self.redirect_uris, "authorization_type": ["code", "refresh_token"],
            "token_endpoint_auth_method": ["client_secret_basic"], "scope": ["openid"], "enabled": True})

    def _must(self, browser, method, path, body):
        status, _, answer = browser.call(method, self.url + path, body=body)
        assert status == 200, f"glewlwyd: {method} {path} answered {status}: {answer}"

    def consent(self, name, authorization_url):
        """Logs in and consents as a person would; returns the callback URL the browser is sent to."""
        person = Browser()
        self._must(person, "POST", "/api/auth/", {"username": name, "password": "correct horse battery"})
        self._must(person, "PUT", f"/api/auth/grant/{self.client_id}", {"scope": "openid"})
        status, headers, answer = person.call("GET", authorization_url + "&g_continue")
        assert status == 302, f"glewlwyd: no redirect but {status}: {answer}"
        return headers["Location"]

    def refresh(self, refresh_token):
        """Redeems a refresh token behind the vault's back."""
        pair = f"{self.client_id}:{self.client_secret}"
        return Browser().call(
            "POST", self.url + "/api/oidc/token",
            form={"grant_type": "refresh_token", "refresh_token": refresh_token},
            headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})

"""Django OAuth Toolkit, from PyPI: an authorization server of another family, with OpenID Connect, PKCE required,
refresh tokens used once and the family revoked on reuse.

As a program: django_server.py PORT FOLDER CLIENT_ID CLIENT_SECRET REDIRECT_URI serves it on loopback.
"""

import base64
import html
import importlib.util
import os
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import time
import urllib.error
import wsgiref.simple_server

from vault_process import Browser, free_port

PASSWORD = "correct horse battery"


def missing():
    """Why it cannot run here, or None."""
    if importlib.util.find_spec("oauth2_provider") is None:
        return "django-oauth-toolkit is not installed (sh Packaging/setup.sh test)"
    return None


class DjangoServer:
    client_id = "vault"
    client_secret = "client-password-of-some-length"

    def __init__(self):
        self.redirect_uris = []
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="django-", dir=memory)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.issuer = self.url + "/o"
        self.userinfo = self.issuer + "/userinfo/"
        # Its metadata does not name its revocation endpoint, so every endpoint is written down.
        self.settings = f"""provider = "oauth2"
authorize = "{self.issuer}/authorize/"
token = "{self.issuer}/token/"
revoke = "{self.issuer}/revoke_token/"
profile = "{self.userinfo}"
"""
        self.process = None

    def __enter__(self):
        with open(self.folder + "/log", "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), self.url.rpartition(":")[2], self.folder, self.client_id,
                 self.client_secret, *self.redirect_uris], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                Browser().call("GET", self.issuer + "/.well-known/openid-configuration")
                return self
            except (urllib.error.URLError, ConnectionError):
                with open(self.folder + "/log", encoding="utf-8") as log:
                    assert self.process.poll() is None, log.read()
                time.sleep(0.05)
        raise AssertionError("the Django server did not become ready")

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def consent(self, name, authorization_url):
        """Logs in and consents as a person would; returns the callback URL the browser is sent to."""
        person = Browser()
        url = authorization_url
        for form in ({"username": name, "password": PASSWORD}, {"allow": "Authorize"}):
            status, headers, page = person.call("GET", url)
            while status == 302 and headers["Location"].startswith("/"):
                url = self.url + headers["Location"]
                status, headers, page = person.call("GET", url)
            assert status == 200, f"Django: no page but {status}: {headers.get('Location')} {page[:500]}"
            # What the page asks to be sent back, and what a person adds.
            fields = {name: html.unescape(value) for name, value in re.findall(
                r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)}
            status, headers, page = person.call("POST", url, form={**fields, **form})
            assert status == 302, f"Django: no redirect but {status}: {page[:500]}"
            url = headers["Location"] if "://" in headers["Location"] else self.url + headers["Location"]
        return url

    def refresh(self, refresh_token):
        """Redeems a refresh token behind the vault's back."""
        pair = f"{self.client_id}:{self.client_secret}"
        return Browser().call(
            "POST", self.issuer + "/token/", form={"grant_type": "refresh_token", "refresh_token": refresh_token},
            headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})


def serve(port, folder, client_id, client_secret, redirect_uri):
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    import django
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from django.conf import settings

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    settings.configure(
        SECRET_KEY=os.urandom(16).hex(), ALLOWED_HOSTS=["127.0.0.1"], USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", LOGIN_URL="/login/",
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
                    "django.contrib.auth.middleware.AuthenticationMiddleware"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db"}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "loaders": [("django.template.loaders.locmem.Loader", {
                "registration/login.html": '<form method="post">{% csrf_token %}{{ form }}'
                                           '<input type="hidden" name="next" value="{{ next }}"></form>'}),
                        "django.template.loaders.app_directories.Loader"]}}],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True, "OIDC_RSA_PRIVATE_KEY": key.decode(),
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "PKCE_REQUIRED": True, "ROTATE_REFRESH_TOKEN": True, "REFRESH_TOKEN_REUSE_PROTECTION": True,
            "SCOPES": {"openid": "who you are", "read": "what you hear"}})
    django.setup()
    from django.contrib.auth.models import User
    from django.contrib.auth.views import LoginView
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path
    from oauth2_provider.models import Application

    settings.ROOT_URLCONF = (path("login/", LoginView.as_view()), path("o/", include("oauth2_provider.urls")))
    call_command("migrate", verbosity=0)
    for name in ("ada", "grace"):
        User.objects.create_user(name, f"{name}@example.test", PASSWORD)
    Application.objects.create(
        name="vault", client_id=client_id, client_secret=client_secret, redirect_uris=redirect_uri, algorithm="RS256",
        client_type=Application.CLIENT_CONFIDENTIAL, authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE)

    class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
        daemon_threads = True

    wsgiref.simple_server.make_server("127.0.0.1", int(port), get_wsgi_application(), Server).serve_forever()


if __name__ == "__main__":
    serve(*sys.argv[1:])

"""The real program, started on free ports with a store of its own, and a browser that is not one."""

import http.cookiejar
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


class Browser:
    """Keeps cookies as a browser does and follows no redirect by itself."""

    def __init__(self):
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            NoRedirect,
        )

    def call(self, method, url, body=None, form=None, headers=None):
        """Returns status, headers and the body: a dict when it is JSON, text otherwise."""
        headers = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif form is not None:
            data = urllib.parse.urlencode(form).encode()
        elif method == "POST":
            data = b""
        request = urllib.request.Request(url, method=method, data=data, headers=headers)
        try:
            with self.opener.open(request, timeout=30) as answer:
                return self._read(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return self._read(error.code, error.headers, error.read())

    @staticmethod
    def _read(status, headers, raw):
        text = raw.decode()
        if "json" in (headers.get("Content-Type") or ""):
            return status, headers, json.loads(text)
        return status, headers, text


class Vault:
    """`vault serve` with a configuration written for one test."""

    def __init__(self, program, plugins, folder, platforms, frontend=None, arguments=()):
        self.program = program
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin = f"http://127.0.0.1:{free_port()}"
        self.folder = folder
        self.config = os.path.join(folder, "vault.conf")
        self.log = os.path.join(folder, "vault.log")
        self.arguments = list(arguments)
        self.process = None
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f'listen = "127.0.0.1:{self.port}"\n'
                f'admin = "{self.admin[7:]}"\n'
                f'[frontend]\nurl = "{frontend or self.url}"\n'
                f'[store]\npath = "{folder}/store"\n'
                f'[key]\nsource = "file:{folder}/vault.key"\n'
                f'[plugins]\npath = "{plugins}"\n' + platforms(self)
            )

    def run(self, *arguments, stdin=None):
        """Runs one command; returns its exit status, standard output and standard error."""
        done = subprocess.run(
            [self.program, *arguments, "--config", self.config],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--init-if-missing", "--config", self.config, *self.arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"vault serve ended with {self.process.returncode}:\n{self.tail()}")
            try:
                if Browser().call("GET", self.admin + "/readyz")[0] == 200:
                    # Ready means that the other listener is there, too: whoever connects now must get in.
                    socket.create_connection(("127.0.0.1", self.port)).close()
                    return self
            except urllib.error.URLError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"vault serve did not become ready:\n{self.tail()}")

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(how)
        status = self.process.wait(timeout=60)
        self.process = None
        return status

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-40:])

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def fragment(headers):
    """What a redirect to the frontend carries behind its `#`, as a dict."""
    location = headers.get("Location") or ""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlparse(location).fragment))


def bearer(session):
    return {"Authorization": "Bearer " + session}

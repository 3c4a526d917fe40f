"""The server's own TLS: HTTP/2, a new certificate on SIGHUP and by itself, a bad one, slow streams, the redirect.

Usage: tls_test.py VAULT PLUGINS. Exit status 0: all promises held; 77: it cannot run here.
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from vault_process import Browser, Vault, free_port


def make_certificate(folder, name):
    """A pair of files for localhost; returns their paths."""
    chain, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", chain],
        check=True, capture_output=True)
    return chain, key


class House:
    def __init__(self, program, plugins, folder):
        self.folder = folder
        self.chain, self.key = os.path.join(folder, "chain.pem"), os.path.join(folder, "key.pem")
        self.use(make_certificate(folder, "first"))
        self.redirect = free_port()
        self.vault = Vault(program, plugins, folder, lambda vault: (
            f'[tls]\ncertificates = "{self.chain}"\nkey = "{self.key}"\nredirect = "127.0.0.1:{self.redirect}"\n'
            '[limits]\nbody-time = "500ms"\nhead-time = "500ms"\nidle-time = "2s"\n'
        ), frontend="https://app.example.com", arguments=["--public-url", "https://api.example.com"])

    def use(self, pair):
        """Puts a pair in place as tools do that renew: one file after the other, each at once."""
        for source, target in zip(pair, (self.chain, self.key)):
            shutil.copy(source, target + ".new")
            os.replace(target + ".new", target)

    def connect(self, **options):
        from two_http import Connection

        return Connection(self.vault.port, **options)

    def says(self, words, since=0):
        """Waits until the log says it; what it said before `since` bytes does not count."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with open(self.vault.log, encoding="utf-8") as log:
                log.seek(since)
                if words in log.read():
                    return
            time.sleep(0.02)
        raise AssertionError(f"the log never says {words!r}:\n{self.vault.tail()}")

    def mark(self):
        return os.path.getsize(self.vault.log)


def check_protocols(house):
    with house.connect(trusted=house.chain) as two:
        assert two.protocol == "h2"
        assert [two.get("/auth/platforms") for _ in range(3)] == [200, 200, 200]
        assert two.get("/auth/spotify/token") == 401
    for protocols in (["http/1.1"], ["spdy/1", "http/1.1"]):
        with house.connect(protocols=protocols) as one:
            assert one.protocol == "http/1.1"
            one.socket.sendall(b"GET /auth/platforms HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert one.socket.recv(1024).startswith(b"HTTP/1.1 200")
    print("ok HTTP/2 and HTTP/1.1 are agreed on")


def check_renewal(house):
    with house.connect() as old:
        first = old.certificate
        assert old.get("/auth/platforms") == 200

        mark = house.mark()
        house.use(make_certificate(house.folder, "second"))
        house.vault.process.send_signal(signal.SIGHUP)
        house.says("the TLS certificate was replaced", mark)
        assert old.get("/auth/platforms") == 200, "the connection there is must go on"
        with house.connect(trusted=house.chain) as new:
            second = new.certificate
            assert new.get("/auth/platforms") == 200
        assert first != second
    print("ok SIGHUP takes in a new certificate, and no connection ends")

    mark = house.mark()
    third = make_certificate(house.folder, "third")
    house.use((third[0], house.key))
    house.vault.process.send_signal(signal.SIGHUP)
    house.says("the one there is stays", mark)
    with house.connect() as still:
        assert still.certificate == second, "a key that is not the certificate's must change nothing"
    mark = house.mark()
    house.use(third)
    house.says("the TLS certificate was replaced", mark)
    with house.connect(trusted=house.chain) as new:
        assert new.certificate not in (first, second)
    print("ok a bad pair is told and changes nothing; a good one is taken in by itself")


def check_slow_streams(house):
    """Each bound is what vault.conf's default would take: it is the setting that ends them, however slow it is here."""
    import h2.events

    with house.connect() as two:
        began = time.monotonic()
        slow = two.begin("POST", "/auth/spotify/login", ended=False, headers=[("content-type", "application/json")])
        two.two.send_data(slow, b'{"returnTo":')
        two.flush()
        # The others on the same connection are answered meanwhile.
        assert two.get("/auth/platforms") == 200
        assert two.next((h2.events.StreamReset, h2.events.StreamEnded), slow) is not None
        assert time.monotonic() - began < 30
        assert two.get("/auth/platforms") == 200
        began = time.monotonic()
        assert two.ended(), "a connection that does nothing must end, whether it says goodbye or not"
        assert time.monotonic() - began < 60
    # Header fields that never end: the frame is there, its last part is not.
    with house.connect() as two:
        two.socket.sendall(b"\x00\x00\x04\x01\x00\x00\x00\x00\x01\x82\x87\x84\x41")
        began = time.monotonic()
        assert two.ended() and time.monotonic() - began < 10
    with socket.create_connection(("127.0.0.1", house.vault.port), timeout=90) as silent:
        began = time.monotonic()
        assert silent.recv(1) == b"" and time.monotonic() - began < 10, "no handshake, no connection"
    print("ok slow streams, endless header fields and silence are ended; the others go on")


def check_redirect(house):
    connection = http.client.HTTPConnection("127.0.0.1", house.redirect, timeout=30)
    connection.request("GET", "/auth/platforms?a=b")
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 308, answer.status
    assert answer.headers["Location"] == "https://api.example.com/auth/platforms?a=b", answer.headers["Location"]
    connection.request("GET", "/auth/spotify/token", headers={"Authorization": "Bearer x"})
    answer = connection.getresponse()
    assert answer.status == 403 and b'"forbidden"' in answer.read()
    print("ok plain http is redirected, and a session sent by it is refused")


def check_metrics(house):
    _, _, text = Browser().call("GET", house.vault.admin + "/metrics")
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["vault_tls_certificate_end"]) > time.time() + 80 * 86400
    assert int(values['vault_http_connections_slow_total{reason="handshake"}']) >= 1
    assert int(values['vault_http_connections_slow_total{reason="body"}']) >= 1
    print("ok the metrics say when the certificate ends and who was slow")


def main(program, plugins):
    if shutil.which("openssl") is None:
        print("skipped: openssl is not installed")
        return 77
    try:
        import h2  # noqa: F401
    except ImportError:
        print("skipped: the Python package h2 is not installed (make test puts it into .build/e2e-venv)")
        return 77
    with tempfile.TemporaryDirectory(prefix="vault-tls-") as folder:
        house = House(program, plugins, folder)
        with house.vault:
            check_protocols(house)
            check_renewal(house)
            check_slow_streams(house)
            check_redirect(house)
            check_metrics(house)
            assert house.vault.stop() == 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

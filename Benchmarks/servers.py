"""Servers that are measured, and the load on them."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

from figures import ENVIRONMENT, Failed

# The server has the first processor for itself, the load generator the last.
SERVER, LOAD = 0, (os.cpu_count() or 1) - 1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process that listens; started on the server's processor, ended with the block."""

    def __init__(self, words, port, path, log, environment=None):
        self.words, self.port, self.path, self.log = [str(word) for word in words], port, path, log
        self.environment = dict(ENVIRONMENT, **(environment or {}))
        self.process = None
        self.took = 0.0

    def __enter__(self):
        begun = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(SERVER), *self.words], env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        while time.monotonic() < begun + 60:
            if self.process.poll() is not None:
                break
            try:
                self.get(self.path)
                self.took = time.monotonic() - begun
                return self
            except (ConnectionError, http.client.HTTPException):
                time.sleep(0.001)
        self.__exit__()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise Failed(f"{self.words[0]} did not answer: {log.read()[-500:]}")

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def call(self, method, path, headers=None, body=None):
        """Status, headers and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, headers=None):
        return self.call("GET", path, headers)

    def processor_time(self):
        """Seconds in user and kernel mode so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident, in MiB: all of it, and what no file stands behind."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            text = status.read()
        return {
            name: int(re.search(rf"{word}:\s+(\d+)", text)[1]) / 1024
            for name, word in (("memory", "VmRSS"), ("own_memory", "RssAnon"))}

    def load(self, path, seconds, connections=64, headers=(), script=None):
        """What wrk says: rate, p50_ms, p99_ms; and the server's own processor time for one request, in µs."""
        words = ["taskset", "-c", str(LOAD), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
        words += [word for header in headers for word in ("-H", header)]
        words += ["-s", script] if script else []
        before = self.processor_time()
        done = subprocess.run(
            [*words, f"http://127.0.0.1:{self.port}{path}"], env=ENVIRONMENT, capture_output=True, text=True,
            check=False)
        spent, said = self.processor_time() - before, done.stdout
        if done.returncode != 0 or "Non-2xx" in said or "Socket errors" in said:
            raise Failed(f"wrk at {path}: {said} {done.stderr}")
        requests = int(re.search(r"(\d+) requests in", said)[1])
        return {
            "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),
            "p50_ms": milliseconds(re.search(r"\n\s+50%\s+(\S+)", said)[1]),
            "p99_ms": milliseconds(re.search(r"\n\s+99%\s+(\S+)", said)[1]),
            "cpu_us": spent / requests * 1e6,
        }


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


class Vault(Server):
    """`vault serve` on a store that storage-bench made."""

    def __init__(self, options, store, sandbox_port=9, extra=""):
        self.program = options.vault
        port, admin = free_port(), free_port()
        self.config = os.path.join(options.work, f"vault-{port}.conf")
        # One address, so that a session outlives the run; high limits, since one client asks for all; no access log,
        # as with the others.
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f'listen = "127.0.0.1:{port}"\nadmin = "127.0.0.1:{admin}"\npublic-url = "http://127.0.0.1:8000"\n'
                f'[store]\npath = "{store}"\nquota = "64GiB"\n[key]\nsource = "file:{store}.key"\n'
                f'[plugins]\npath = "{options.plugins}"\n[login]\nper-minute = 100000\ncallbacks-per-minute = 100000\n[refresh]\nper-minute = 100000\n'
                f'[sandbox]\nport = {sandbox_port}\n'
                f'[log]\nlevel = "warning"\nformat = "json"\n{extra}'
                f'[platforms.sandbox]\nclient-id = "sandbox"\nclient-secret = "file:{store}.secret"\n'
                f'issuer = "http://127.0.0.1:{sandbox_port}"\ninsecure-loopback = true\n')
        with open(store + ".secret", "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("sandbox-secret")
        words = [self.program, "serve", "--config", self.config]
        super().__init__(words, port, "/auth/platforms", os.path.join(options.work, "vault.log"))

    def session(self, user):
        """The JWT of a new session, from the command line."""
        words = [self.program, "session", "issue", user, "--config", self.config]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(done.stderr)
        return done.stdout.strip()

    def connect(self, sandbox, name):
        """A whole login of somebody at the sandbox; the session's JWT."""
        sandbox.call(
            "POST", "/control", {"Content-Type": "application/json"}, json.dumps({"autoApprove": name}))
        _, headers, body = self.call("POST", "/auth/sandbox/login")
        cookie = headers["Set-Cookie"].split(";")[0]
        start = json.loads(body)["authorizationUrl"]
        _, headers, _ = sandbox.get(start[start.index("/authorize"):])
        back = headers["Location"]
        _, headers, body = self.call("GET", back[back.index("/auth/"):], {"Cookie": cookie})
        found = re.search(r"session=([^&]+)", headers["Location"] or "")
        if not found:
            raise Failed(f"{name} could not connect: {headers['Location']} {body}")
        return found[1]

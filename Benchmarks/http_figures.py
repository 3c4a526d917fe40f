"""The token endpoint beside Hummingbird doing nothing (Floor/) and a Python service doing the same (Peer/)."""

import os
import shutil
import subprocess

from figures import Failed, Table, in_turns, median, mebibytes, microseconds, note, rate, run
from servers import Server, Vault, free_port

PATH = "/auth/sandbox/token"
# What HTTP adds by itself to every answer.
OWN_HEADERS = {"date", "content-length", "server", "connection", "transfer-encoding"}


class Http:
    def __init__(self, options):
        self.options = options
        self.seconds = 10 if options.long else 4
        self.store = os.path.join(options.work, "serve")
        self.peer_store = os.path.join(options.work, "peer")
        self.answer = os.path.join(options.work, "answer")
        self.log = os.path.join(options.work, "servers.log")
        self.has_peer = os.path.exists(options.peer)
        self.tables = []

    def measure(self):
        if not os.path.exists(self.options.vault):
            raise Failed("there is no .build/release/vault: make build")
        if not shutil.which("wrk"):
            raise Failed("there is no wrk")
        run(self.options.program("storage-bench"), "load", self.store, 10_000, 0, 638)
        self.token()
        self.refreshes()
        self.starts()
        return self.tables

    def floor(self):
        port = free_port()
        return Server([self.options.program("floor-server"), port, self.answer], port, PATH, self.log)

    def peer(self, store=None):
        port = free_port()
        server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Peer", "server.py")
        words = [self.options.peer, "-B", server, "serve", store or self.peer_store, port]
        return Server(words, port, "/", self.log)

    def load_peer(self, store, count):
        """The session's JWT."""
        server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Peer", "server.py")
        done = subprocess.run(
            [self.options.peer, "-B", server, "load", store, str(count)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(done.stderr)
        return done.stdout.strip()

    def token(self):
        """Rate, latency, processor time and memory of one endpoint."""
        with Vault(self.options, self.store) as vault:
            session = vault.session("user-0000000000")
            self.keep_answer(vault, session)
        note("loading the endpoint")

        def take(server, session):
            def once():
                with server() as running:
                    headers = [f"Authorization: Bearer {session}"]
                    running.load(PATH, 1, headers=headers)
                    result = running.load(PATH, self.seconds, headers=headers)
                    return result | running.memory()

            return once

        takes = [take(lambda: Vault(self.options, self.store), session), take(self.floor, session)]
        if self.has_peer:
            takes.append(take(self.peer, self.load_peer(self.peer_store, 10_000)))
        results = in_turns(self.options.rounds, *takes)
        table = Table("GET /auth/{platform}/token", "Hummingbird, no work")
        self.compare(table, *results[:2], {"rate": 0.75})
        self.tables.append(table)
        if self.has_peer:
            table = Table("The same", "FastAPI, uvicorn")
            self.compare(table, results[0], results[2], {"rate": 10, "cpu_us": 0.2, "memory": 0.5})
            self.tables.append(table)

    @staticmethod
    def compare(table, mine, other, targets):
        def milliseconds(value):
            return f"{value:.2f} ms"

        for what, name, show, at_most in (
            ("rate, 64 connections, one core", "rate", rate, False),
            ("median", "p50_ms", milliseconds, True),
            ("99th percentile", "p99_ms", milliseconds, True),
            ("processor time for one request", "cpu_us", microseconds, True),
            ("resident after it", "memory", mebibytes, True),
            ("of it without a file behind it", "own_memory", mebibytes, True),
        ):
            table.add(
                what, median(mine, name), median(other, name), targets.get(name), show=show, at_most=at_most)

    def keep_answer(self, vault, session):
        """One answer of vault, for the floor to repeat."""
        status, headers, body = vault.get(PATH, {"Authorization": f"Bearer {session}"})
        if status != 200:
            raise Failed(f"the token endpoint answers {status}: {body}")
        with open(self.answer, "w", encoding="utf-8") as file:
            for name, value in headers.items():
                if name.lower() not in OWN_HEADERS:
                    file.write(f"{name}: {value}\n")
            file.write("\n" + body.decode())

    def refreshes(self):
        """Every one a redemption at the sandbox, journalled before and stored after it."""
        port = free_port()
        store = os.path.join(self.options.work, "refreshing")
        run(self.options.program("storage-bench"), "load", store, 1, 0, 638)
        table = Table("Refreshes, each redeemed at the sandbox and on the disk before it is answered", "")
        vault = Vault(self.options, store, sandbox_port=port)
        sandbox = Server([self.options.vault, "sandbox", "--config", vault.config], port, "/control", self.log)
        with sandbox, vault:
            sessions = [vault.connect(sandbox, f"person{number}") for number in range(64)]
            script = os.path.join(self.options.work, "refresh.lua")
            with open(script, "w", encoding="ascii") as file:
                quoted = ", ".join(f'"Bearer {session}"' for session in sessions)
                file.write(
                    f"local sessions = {{{quoted}}}\nlocal at = 0\n"
                    'request = function()\n  at = at % #sessions + 1\n'
                    '  return wrk.format("POST", nil, {["Authorization"] = sessions[at]})\nend\n')
            results = [
                vault.load("/auth/sandbox/refresh", self.seconds, connections=32, script=script)
                for _ in range(self.options.rounds)
            ]
        table.row("rate, 64 users, 32 connections", rate(median(results, "rate")))
        table.row("99th percentile", f"{median(results, 'p99_ms'):.0f} ms")
        table.row("processor time for one refresh", microseconds(median(results, "cpu_us")))
        self.tables.append(table)

    def starts(self):
        """From nothing to the first answer."""
        big = os.path.join(self.options.work, "million")
        note("loading 1,000,000 records")
        run(self.options.program("storage-bench"), "load", big, 1_000_000, 0, 638)
        if self.has_peer:
            big_peer = os.path.join(self.options.work, "peer-million")
            self.load_peer(big_peer, 1_000_000)

        def take(server):
            def once():
                with server() as running:
                    return {"ms": running.took * 1000} | running.memory()

            return once

        takes = [take(lambda: Vault(self.options, big))] + ([take(lambda: self.peer(big_peer))] if self.has_peer else [])
        results = in_turns(self.options.rounds + 2, *takes)
        mine, other = results[0], results[1] if self.has_peer else None
        table = Table("Start, 1,000,000 records stored", "FastAPI, uvicorn")
        took = median(mine, "ms")
        table.row(
            "to the first answer", f"{took:.0f} ms", f"{median(other, 'ms'):.0f} ms" if other else "", "", "≤ 100 ms",
            met=took <= 100)
        idle = median(mine, "memory")
        table.row(
            "resident, idle", mebibytes(idle), mebibytes(median(other, "memory")) if other else "", "", "≤ 32 MiB",
            met=idle <= 32)
        table.row(
            "of it without a file behind it", mebibytes(median(mine, "own_memory")),
            mebibytes(median(other, "own_memory")) if other else "")
        size = os.path.getsize(self.options.vault) / 1e6
        table.row("the program on disk", f"{size:.0f} MB", "", "", "≤ 50 MB", met=size <= 50)
        self.tables.append(table)
        shutil.rmtree(big, ignore_errors=True)


def measure(options):
    return Http(options).measure()

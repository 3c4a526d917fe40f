"""Reloads of plugins, one after another, while browsers go on asking: no request is lost, and the server has no more
children, descriptors and memory afterwards than before. A key that the server holds is never in a plugin's process.

Usage: torture_reload.py VAULT PLUGINS [RELOADS].
"""

import http.client
import json
import os
import shutil
import sys
import tempfile
import threading

from fault_tools import Lost, must_notice
from vault_process import Vault

PLUGINS = ("github", "lastfm")  # Last.fm has a hook, so it has a process that stays
WARM = 25


def platforms(_vault):
    sections = "".join(
        f'[platforms.{name}]\nclient-id = "id"\nclient-secret = "file:{_vault.folder}/secret"\n' for name in PLUGINS)
    return sections + '[login]\nper-minute = 100000\n[log]\nlevel = "notice"\n'


class Asking(threading.Thread):
    """One browser that asks for logins on one connection until it is told to stop, and keeps what went wrong."""

    def __init__(self, vault):
        super().__init__()
        self.vault, self.answered, self.wrong, self.done = vault, 0, [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.vault.port, timeout=60)
        # One round at least, however short the time.
        while self.answered + len(self.wrong) == 0 or not self.done.is_set():
            for name in PLUGINS:
                try:
                    connection.request("POST", f"/auth/{name}/login", "{}", {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    body = answer.read()
                except (OSError, http.client.HTTPException) as error:
                    self.wrong.append(repr(error))
                    return
                if answer.status == 200 and "authorizationUrl" in json.loads(body):
                    self.answered += 1
                else:
                    self.wrong.append(f"{name}: {answer.status} {body[:300]}")


class Asked:
    """Two of them for as long as the body runs; lost requests are told at its end."""

    def __init__(self, vault):
        self.threads = [Asking(vault) for _ in range(2)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        for thread in self.threads:
            thread.done.set()
        for thread in self.threads:
            thread.join()
        wrong = [one for thread in self.threads for one in thread.wrong]
        if kind is None and wrong:
            raise Lost(f"{len(wrong)} requests were lost, the first: {wrong[0]}")
        if kind is None and not all(thread.answered for thread in self.threads):
            raise Lost("nobody was answered")

    @property
    def answered(self):
        return sum(thread.answered for thread in self.threads)


def put(source, folder, name):
    """A new file in the old one's place."""
    shutil.copyfile(source, f"{folder}/{name}.new")
    os.chmod(f"{folder}/{name}.new", 0o755)
    os.rename(f"{folder}/{name}.new", f"{folder}/{name}.so")


def reload(vault):
    status, out, err = vault.run("plugins", "reload")
    if status != 0:
        raise Lost(f"a reload ended with {status}: {out}{err}")


def children(pid):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(pid) and fields[0] != "Z":
            found.append(int(name))
    return found


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    """What only this process has, in KiB."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


def holds(pid, needle):
    """Whether any page of a process holds these bytes."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as pages:
        for line in maps:
            start, end = (int(one, 16) for one in line.split()[0].split("-"))
            if line.split()[1][0] != "r" or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            while start < end:
                size = min(1 << 22, end - start)
                try:
                    pages.seek(start)
                    if needle in pages.read(size):
                        return True
                except OSError:
                    pass
                # What stands across two pieces is found as well.
                start += size if size < 1 << 22 else size - len(needle)
    return False


def keys_stay(vault):
    """The server's key as it reads it from its file, and the text it was read from."""
    if os.geteuid() != 0:
        print("not looked at: only root may read the memory of others, so where the keys are was not checked")
        return
    with open(f"{vault.folder}/vault.key", "rb") as file:
        text = file.read().strip()
    with open(f"{vault.folder}/secret", "rb") as file:
        secret = file.read().strip()
    server, plugins = vault.process.pid, children(vault.process.pid)
    needles = {"the root key": bytes.fromhex(text.decode()), "a client secret": secret}
    seen = [name for name, needle in needles.items() if holds(server, needle)]
    if "the root key" not in seen:
        raise Lost(f"the search finds {seen} in the server itself, so it proves nothing")
    if not plugins:
        raise Lost("there is no plugin's process to look at")
    for name, needle in needles.items():
        for plugin in plugins:
            if holds(plugin, needle):
                raise Lost(f"{name} is in the process of a plugin")
    print(f"ok {' and '.join(seen)}: found in the server, and not in {len(plugins)} plugin's process")


def main(program, plugins, reloads=100):
    with tempfile.TemporaryDirectory(prefix="vault-reload-") as folder:
        mine = f"{folder}/plugins"
        os.mkdir(mine, 0o755)
        for name in PLUGINS:
            put(f"{plugins}/{name}.so", mine, name)
        with open(f"{folder}/secret", "w", encoding="utf-8") as file:
            file.write("client-secret-that-is-found-nowhere")
        os.chmod(f"{folder}/secret", 0o600)
        with Vault(program, mine, folder, platforms) as vault:
            pid = vault.process.pid
            keys_stay(vault)
            with Asked(vault) as asked:
                for turn in range(reloads):
                    if turn == min(WARM, reloads - 1):
                        open_before, memory_before = descriptors(pid), memory(pid)
                    for name in PLUGINS:
                        put(f"{plugins}/{name}.so", mine, name)
                    reload(vault)
                grown = memory(pid) - memory_before
            # The old child ends when the last request that began with it has: now there is none.
            left, open_now = children(pid), descriptors(pid)
            if len(left) != 1:
                raise Lost(f"{len(left)} plugins' processes are left, and one has a hook")
            if open_now > open_before:
                raise Lost(f"{open_before} descriptors became {open_now}")
            # What a reload would lose, a description or a vault.conf as it was parsed, has twenty and more.
            if grown > 1024 + 4 * reloads:
                raise Lost(f"{reloads} reloads took {grown} KiB of memory")
            print(f"ok {reloads} reloads, {asked.answered} logins meanwhile, none lost; {grown} KiB more memory, "
                  f"{open_now} descriptors of {open_before}")

            def broken():
                with open(f"{mine}/lastfm.new", "w", encoding="utf-8") as file:
                    file.write("no plugin")
                os.chmod(f"{mine}/lastfm.new", 0o755)
                os.rename(f"{mine}/lastfm.new", f"{mine}/lastfm.so")
                reload(vault)
                with Asked(vault):
                    pass

            must_notice("a reload that takes a platform away", broken)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))

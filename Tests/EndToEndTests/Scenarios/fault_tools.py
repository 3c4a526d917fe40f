"""What the scenarios of faults share: a vault of its own on the command line, and what must always be true of it."""

import json
import os
import subprocess

SKIPPED = 77


class Lost(Exception):
    """A promise that was not kept."""


class Folder:
    """vault.conf, a key and a store in one folder."""

    def __init__(self, program, path):
        self.program = program
        self.path = path
        os.makedirs(path, exist_ok=True)
        self.config = os.path.join(path, "vault.conf")
        self.store = os.path.join(path, "store")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f'[store]\npath = "{self.store}"\n[key]\nsource = "file:{path}/vault.key"\n'
                f'[plugins]\npath = "{path}/plugins"\n'
            )

    def words(self, *arguments):
        return [self.program, *arguments, "--config", self.config]

    def run(self, *arguments, stdin="", before=()):
        """Runs one command, after the words of `before`; returns its exit status, output and errors."""
        done = subprocess.run(
            [*before, *self.words(*arguments)], input=stdin, capture_output=True, text=True, timeout=120, check=False,
            env={"PATH": os.environ["PATH"], "HOME": self.path, "SWIFT_BACKTRACE": "enable=no"},
        )
        return done.returncode, done.stdout, done.stderr

    def succeed(self, *arguments, stdin=""):
        status, out, err = self.run(*arguments, stdin=stdin)
        if status != 0:
            raise Lost(f"vault {' '.join(arguments)} ended with {status}: {err}")
        return out

    def users(self):
        lines = self.succeed("connections", "--json").splitlines()
        return {json.loads(line)["user"] for line in lines}

    def must_hold(self, answered, maybe):
        """All that was answered is there and nothing that was never asked for; every value opens."""
        check = self.succeed("check", "--json")
        if not json.loads(check)["sound"]:
            raise Lost(check)
        users = self.users()
        if not answered <= users:
            raise Lost(f"{len(answered - users)} connections were answered and are gone")
        if not users <= answered | maybe:
            raise Lost("there are connections that nobody wrote")
        return users


def lines(users, token="T"):
    return "".join(
        json.dumps({"user": user, "platform": "spotify", "accessToken": token}) + "\n" for user in users)


def must_notice(what, body):
    """A check that cannot fail proves nothing: here it has to."""
    try:
        body()
    except Lost as lost:
        print(f"  it would notice {what}: {str(lost)[:60]}")
        return
    raise AssertionError(f"it would not notice {what}")

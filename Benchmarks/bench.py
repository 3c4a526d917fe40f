#!/usr/bin/env python3
"""Takes the figures: vault beside its counterparts, in turns, medians. `make bench` builds, then runs this.

    bench.py [--short | --long] [storage] [puts] [plugins] [http]

--short takes about ten minutes; --long runs more rounds and goes on to ten million records, which takes about
an hour and 40 GB of disk. Without names, everything is measured; "puts" are the durable writes of "storage" alone.
"""

import argparse
import datetime
import os
import shutil
import sys

import http_figures
import plugins
import storage
from figures import Failed, note

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


class Options:
    def __init__(self, words):
        self.long = words.long
        self.build = os.path.join(ROOT, ".build", "bench")
        self.work = os.path.join(self.build, "work")
        self.baseline = os.path.join(self.build, "baseline")
        self.vault = os.path.join(ROOT, ".build", "release", "vault")
        self.plugins = os.path.join(ROOT, ".build", "release", "plugins")
        self.peer = os.path.join(self.build, "peer-venv", "bin", "python3")
        self.rounds = 7 if self.long else 3
        self.few = 5 if self.long else 2
        self.seconds = 3 if self.long else 1
        self.records = 1_000_000 if self.long else 100_000
        self.reads = 1_000_000 if self.long else 200_000
        self.sizes = [10_000, 100_000, 1_000_000] + ([10_000_000] if self.long else [])

    def program(self, name):
        return os.path.join(self.build, "release", name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the default")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part")
    words = parser.parse_args()
    options = Options(words)
    shutil.rmtree(options.work, ignore_errors=True)
    os.makedirs(options.work)
    tables, problems = [], []
    try:
        for name in words.parts or WHOLE:
            try:
                tables += PARTS[name](options)
            except (Failed, OSError) as error:
                problems.append(f"{name}: {error}")
                note(problems[-1])
    finally:
        shutil.rmtree(options.work, ignore_errors=True)
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, {options.rounds} rounds in turns, medians.")
    for table in tables:
        table.print()
    missed = [line for table in tables for line in table.missed]
    if missed:
        print("\nShort of the target:\n" + "\n".join(f"- {line}" for line in missed))
    for problem in problems:
        print(f"\nNot measured: {problem}")
    return 1 if problems else 0


WHOLE = {"storage": storage.measure, "plugins": plugins.measure, "http": http_figures.measure}
PARTS = {**WHOLE, "puts": storage.measure_puts}

if __name__ == "__main__":
    sys.exit(main())

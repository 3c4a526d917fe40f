"""The store and its seals, beside the same work in C (Baseline/)."""

import os
import shutil

from figures import Table, in_turns, median, microseconds, note, rate, run


class Side:
    """One column: its program and its store."""

    def __init__(self, program, folder, name):
        self.program, self.path = program, os.path.join(folder, name)

    def run(self, command, *words):
        return run(self.program, command, self.path, *words)

    def load(self, records, ended, size):
        self.remove()
        return self.run("load", records, ended, size)

    def remove(self):
        for path in (self.path, self.path + ".new"):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.path + ".key", self.path + ".backup"):
            if os.path.exists(path):
                os.remove(path)


class Storage:
    def __init__(self, options):
        self.options = options
        self.mine = Side(options.program("storage-bench"), options.work, "vault")
        self.other = Side(options.baseline, options.work, "baseline")
        self.tables = []

    def both(self, *words, rounds=None, before=lambda side: None):
        """The same command on both sides, in turns."""

        def take(side):
            def once():
                before(side)
                return side.run(*words)

            return once

        return in_turns(rounds or self.options.rounds, take(self.mine), take(self.other))

    def measure(self, *parts):
        try:
            for part in parts:
                part()
        finally:
            self.mine.remove()
            self.other.remove()
        return self.tables

    def compare(self, table, what, name, target, *words, **how):
        mine, other = self.both(*words, **how)
        table.add(what, median(mine, name), median(other, name), target)
        return mine, other

    def loaded(self):
        """Both stores at one size, and the table of what is measured there."""
        count = self.options.records
        table = Table(f"Storage: {count:,} records of 1 KiB", "C")
        self.tables.append(table)
        note(f"loading {count:,} records of 1 KiB")
        for side in (self.mine, self.other):
            side.load(count, 0, 1318)
        return table

    def records(self):
        """Everything at one size of store."""
        table = self.loaded()
        for threads in (1, 2):
            what = f"get and open, {threads} thread{'s' if threads > 1 else ''}"
            self.compare(table, what, "rate", 0.85, "read", self.options.records, self.options.seconds, threads)
        self.puts(table)
        self.compare(table, "scan in order and open", "rate", None, "scan")
        self.copies(table)
        self.compare(table, "seal all anew and read it back", "rate", None, "rotate", rounds=self.options.few)

    def puts(self, table=None):
        """Durable writes; without a table, of stores of their own."""
        options, table = self.options, table or self.loaded()
        for writers, target in ((1, 0.9), (8, None), (64, 0.9), (256, 0.9)):
            what = f"durable put, {writers} writer{'s' if writers > 1 else ''}"
            self.compare(table, what, "rate", target, "put", options.records, options.seconds * 2, writers, 1318)

    def copies(self, table):
        """Backup, verify, restore."""

        def fresh(side):
            if os.path.exists(side.path + ".backup"):
                os.remove(side.path + ".backup")

        rounds = self.options.few

        def backup(side):
            fresh(side)
            return side.run("backup", side.path + ".backup")

        def restore(side):
            shutil.rmtree(side.path + ".new", ignore_errors=True)
            return side.run("restore", side.path + ".backup", side.path + ".new")

        mine, other = in_turns(rounds, lambda: backup(self.mine), lambda: backup(self.other))
        table.add("backup, until it is on the disk", median(mine, "rate"), median(other, "rate"), 0.8)
        checks = in_turns(
            rounds,
            lambda: self.mine.run("verify", self.mine.path + ".backup"),
            lambda: self.other.run("verify", self.other.path + ".backup"),
        )
        table.add("verify a backup, every record opened", *(median(check, "rate") for check in checks), 0.8)
        whole = 1 / (1 / median(other, "rate") + 1 / median(checks[1], "rate"))
        table.add("backup, read back and verified", median(mine, "verified_rate"), whole)
        mine, other = in_turns(rounds, lambda: restore(self.mine), lambda: restore(self.other))
        table.add("restore, verified before it is loaded", median(mine, "rate"), median(other, "rate"), 0.8)

    def sizes(self):
        """What grows with the store, and what must not."""
        options = self.options
        table = Table("Size: records of 638 bytes", "C")
        self.tables.append(table)
        smallest, ended = {}, 512
        for count in options.sizes:
            note(f"loading {count:,} records of 638 bytes")
            for side in (self.mine, self.other):
                side.load(count, ended * options.rounds, 638)
            mine, other = self.both("latency", count, options.reads)
            p50, p99 = median(mine, "p50_us"), median(mine, "p99_us")
            smallest.setdefault("p50", p50)
            self.against(table, f"get, median, of {count:,}", p50, median(other, "p50_us"), smallest["p50"], 1.5)
            table.row(f"get, 99th percentile, of {count:,}", microseconds(p99), microseconds(median(other, "p99_us")))
            mine, other = self.both("sweep", ended)
            cost = median(mine, "us")
            smallest.setdefault("sweep", cost)
            self.against(
                table, f"sweep, per removed record, of {count:,}", cost, median(other, "us"), smallest["sweep"], None)

    def against(self, table, what, mine, other, first, target):
        grown = mine / first
        aim = "" if target is None or grown == 1 else f"≤ {target} × the first"
        table.row(
            what, microseconds(mine), microseconds(other), f"{grown:.2f} × the first", aim,
            met=target is None or grown <= target)


def measure(options):
    storage = Storage(options)
    return storage.measure(storage.records, storage.sizes)


def measure_puts(options):
    storage = Storage(options)
    return storage.measure(storage.puts)

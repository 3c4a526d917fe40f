"""What a figure is, how it is taken in turns, and how it prints."""

import os
import statistics
import subprocess
import sys

ENVIRONMENT = dict(os.environ, SWIFT_BACKTRACE="enable=no", LC_ALL="C")


class Failed(Exception):
    pass


def run(*words, processor=None):
    """Runs one program of the benchmarks; its lines of a name and a number as a dictionary."""
    words = [str(word) for word in words]
    if processor is not None:
        words = ["taskset", "-c", str(processor)] + words
    done = subprocess.run(words, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)} ended with {done.returncode}: {done.stdout.strip()}")
    pairs = (line.split() for line in done.stdout.splitlines())
    return {pair[0]: float(pair[1]) for pair in pairs if len(pair) == 2}


def in_turns(rounds, *takes):
    """Calls each in turn, `rounds` times; for each the list of what it gave. The order is turned round every time, so
    that none always goes first."""
    results = [[] for _ in takes]
    order = list(range(len(takes)))
    for _ in range(rounds):
        for place in order:
            results[place].append(takes[place]())
        order.reverse()
    return results


def median(results, name):
    return statistics.median(result[name] for result in results)


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def rate(value):
    if value >= 100_000:
        return f"{value / 1000:.0f} k/s"
    if value >= 10_000:
        return f"{value / 1000:.1f} k/s"
    return f"{value:.0f}/s"


def microseconds(value):
    return f"{value:.1f} µs" if value < 1000 else f"{value / 1000:.1f} ms"


def mebibytes(value):
    return f"{value:.0f} MiB"


class Table:
    """Rows of what was measured, vault's value, the other's, their ratio and the least (or most) it should be."""

    def __init__(self, title, other):
        self.title, self.other, self.rows, self.missed = title, other, [], []

    def add(self, what, mine, other=None, target=None, show=rate, at_most=False, show_other=None):
        ratio = mine / other if other else None
        aim = "" if target is None else f"{'≤' if at_most else '≥'} {target:g}"
        met = target is None or ratio is None or (ratio <= target if at_most else ratio >= target)
        self.row(what, show(mine), (show_other or show)(other) if other else "", f"{ratio:.2f}" if ratio else "", aim, met)

    def row(self, what, mine, other="", ratio="", aim="", met=True):
        self.rows.append((what, mine, other, ratio, aim))
        if not met:
            self.missed.append(f"{what}: {ratio or mine}, wanted {aim}")
        note(f"{what}: {mine}{f'; {self.other}: {other}' if other else ''}{f'; ratio {ratio}' if ratio else ''}")

    def print(self):
        if not self.rows:
            return
        print(f"\n| {self.title} | vault | {self.other} | ratio | target |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")

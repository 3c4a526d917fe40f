"""What a plugin costs in a process of its own, beside the same one in the program's."""

import os

from figures import Failed, Table, in_turns, median, microseconds, run


def measure(options):
    folder = os.path.join(options.build, "plugins")
    if not os.path.exists(options.vault):
        raise Failed("there is no .build/release/vault: make build")
    table = Table("Plugins", "in-process")

    def take(command, isolation):
        return lambda: run(options.program("plugin-bench"), command, folder, isolation, options.vault)

    def compare(what, name, results, show):
        mine, other = (median(result, name) for result in results)
        table.row(what, show(mine), show(other), f"{mine / other:.0f} ×")

    results = in_turns(options.rounds, take("call", "process"), take("call", "in-process"))
    compare("one call of a hook, median", "p50_us", results, microseconds)
    compare("one call of a hook, 99th percentile", "p99_us", results, microseconds)
    results = in_turns(options.rounds, take("load", "process"), take("load", "in-process"))
    compare(f"load {results[0][0]['plugins']:.0f} plugins", "ms", results, lambda value: f"{value:.1f} ms")
    return [table]

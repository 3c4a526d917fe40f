"""Drives the whole flow against glewlwyd, a server in C from Debian, through the generic `oidc` plugin.

Usage: glewlwyd_test.py VAULT PLUGINS. Exit status 0: all promises held; 77: it cannot run here.
"""

import sys

import whole_flow
from glewlwyd import Glewlwyd, missing


def main(program, plugins):
    reason = missing()
    if reason:
        print("skipped:", reason)
        return 77
    return whole_flow.run(program, plugins, Glewlwyd([]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

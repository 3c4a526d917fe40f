"""Drives the whole flow against Django OAuth Toolkit, a server in Python, through the generic `oauth2` plugin.

Usage: django_test.py VAULT PLUGINS. Exit status 0: all promises held; 77: it cannot run here.
"""

import sys

import whole_flow
from django_server import DjangoServer, missing


def main(program, plugins):
    reason = missing()
    if reason:
        print("skipped:", reason)
        return 77
    return whole_flow.run(program, plugins, DjangoServer())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

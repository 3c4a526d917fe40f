#!/usr/bin/env python3
"""Makes the vectors beside it, from Documentation.docc/Format and nothing else.

Needs PyNaCl. Everything is fixed, so running it again changes no byte:

    python3 make_vectors.py

A vector is lines of `name value`; `#` begins a comment. `open` says what opening the store must give:
`ok`, `wrong-key`, `damaged` or `newer-format`; `unlock` says with what, where it is not the root key. Then one line for
each connection that is asked for, with what must come: fields, `none`, `damaged` or `newer-format`. `event`, `service`
and `revocation` are all of these that must be found; `services` says what asking for service keys gives instead.
"""
from making.backups import backups
from making.stores import stores

stores()
backups()

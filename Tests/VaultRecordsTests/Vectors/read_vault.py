#!/usr/bin/env python3
"""Opens a vault's LMDB store with nothing but Documentation.docc/Format.

    read_vault.py STORE KEYFILE      one JSON object a connection; needs lmdb and PyNaCl from PyPI
"""
import hashlib, json, struct, sys
import lmdb
from nacl import bindings as sodium

NAMES = {1: "dueAt", 2: "accessToken", 3: "refreshToken", 4: "tokenType", 5: "scope", 6: "expiresAt", 7: "createdAt",
         8: "updatedAt", 9: "consentedAt", 10: "subject", 11: "displayName", 12: "clientID", 13: "generation"}
NUMBERS = {1, 6, 7, 8, 9, 13}


def H(key, purpose, message, size=32):
    return hashlib.blake2b(message, digest_size=size, key=key, person=purpose.encode().ljust(16, b"\0")).digest()


def open_keyring(data, key):
    assert data[:6] == b"VKR1\x01\x00" and hashlib.blake2b(data[:-16], digest_size=16).digest() == data[-16:]
    count, vault = struct.unpack("<H16s", data[6:24])
    at, root = 28, None
    for _ in range(count):
        kind, _, length = struct.unpack("<BBH", data[at:at + 4])
        parameters, at = data[at + 4:at + 4 + length], at + 4 + length
        key_id, nonce, box, at = data[at:at + 16], data[at + 16:at + 40], data[at + 40:at + 88], at + 88
        if key_id == H(key, "vault-keyid-v1", vault, 16):
            wrapping = H(key, "vault-slot-v1", vault + struct.pack("<BH", kind, length) + parameters)
            root = sodium.crypto_secretbox_open(box, nonce, wrapping)
    assert root, "the key is wrong"
    body_key, nonce = H(root, "vault-keyring-v1", data[:at]), data[at:at + 24]
    body = sodium.crypto_secretbox_open(data[at + 28:-16], nonce, body_key)
    terms = {}
    for at in range(99, len(body), 45):
        id, _, _, term = struct.unpack("<IBq32s", body[at:at + 45])
        terms[id] = term
    return vault, body[1:33], terms


def counted(data):
    return struct.pack("<I", len(data)) + data


def open_record(key, value, vault, terms):
    user, sort = key.split(b"\0", 1)
    _, _, flags, term, version, ends = struct.unpack("<BBHIQq", value[:24])
    record_key = H(terms[term], "vault-rec-v1", vault + value[:24] + counted(user) + counted(sort))
    payload = sodium.crypto_secretbox_open(value[48:], value[24:48], record_key)
    payload = payload[:payload.rindex(b"\x80")] if flags & 1 else payload
    out, at = {"user": user.decode(), "platform": sort[9:].decode(), "version": version, "endsAt": ends or None}, 1
    while at < len(payload):
        tag, length = struct.unpack("<BH", payload[at:at + 3])
        data, at = payload[at + 3:at + 3 + length], at + 3 + length
        if tag == 14:
            out["health"] = ["healthy", "reconnect", "uncertain", "operator"][data[0]]
        elif tag in NAMES:
            out[NAMES[tag]] = struct.unpack("<q", data)[0] if tag in NUMBERS else data.decode()
    return out


def main(store, key_file):
    key = open(key_file, "rb").read()
    environment = lmdb.open(store, max_dbs=16, readonly=True, lock=False)
    tables = {name: environment.open_db(name.encode(), create=False) for name in ("keyring", "state", "records")}
    with environment.begin() as transaction:
        vault, state_key, terms = open_keyring(transaction.get(b"keyring", db=tables["keyring"]), key)
        state = transaction.get(b"state", db=tables["state"])
        assert H(state_key, "vault-state-v1", state[:-32]) == state[-32:], "the state is not this vault's"
        total, count = 0, 0
        for key, value in transaction.cursor(db=tables["records"]):
            print(json.dumps(open_record(key, value, vault, terms), sort_keys=True))
            element = H(state_key, "vault-set-v1", b"\x01" + counted(key) + value[:24] + value[48:64])
            total, count = (total + int.from_bytes(element, "little")) % (1 << 256), count + 1
        assert state[52:92] == struct.pack("<Q", count) + total.to_bytes(32, "little"), "records are missing"


main(*sys.argv[1:])

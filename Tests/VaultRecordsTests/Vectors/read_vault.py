#!/usr/bin/env python3
"""Opens a vault's LMDB store with nothing but Documentation.docc/Format.

    read_vault.py STORE KEYFILE      one JSON object a connection, event, service key and pending revocation
    read_vault.py STORE passphrase:WORDS, or recovery:TEXT

Needs lmdb and PyNaCl from PyPI. What it does not print is opened and counted all the same.
"""
import hashlib, json, struct, sys
import lmdb
from nacl import bindings as sodium
from nacl.pwhash import argon2id

NAMES = {1: "dueAt", 2: "accessToken", 3: "refreshToken", 4: "tokenType", 5: "scope", 6: "expiresAt", 7: "createdAt",
         8: "updatedAt", 9: "consentedAt", 10: "subject", 11: "displayName", 12: "clientID", 13: "generation"}
NUMBERS = {1, 6, 7, 8, 9, 13}
# In the order of the state.
PURPOSES = {"records": "vault-rec-v1", "identities": "vault-ident-v1", "sessions": "vault-session-v1",
            "logins": "vault-login-v1", "journal": "vault-journal-v1", "events": "vault-event-v1",
            "services": "vault-service-v1", "revocations": "vault-revoke-v1"}
TEXT, NUMBER, HEX = bytes.decode, lambda data: number(data), bytes.hex
ERRANDS = {
    "events": {1: ("id", TEXT), 2: ("kind", NUMBER), 3: ("user", TEXT), 4: ("platform", TEXT), 5: ("at", NUMBER),
               6: ("reason", TEXT), 7: ("grantEndsAt", NUMBER), 8: ("missingScope", TEXT), 9: ("revoked", TEXT),
               10: ("by", TEXT), 11: ("deliveries", lambda data: deliveries(data))},
    "services": {1: ("name", TEXT), 2: ("digest", HEX), 3: ("actions", TEXT), 4: ("platforms", TEXT),
                 5: ("createdAt", NUMBER)},
    "revocations": {1: ("user", TEXT), 2: ("platform", TEXT), 3: ("subject", TEXT), 4: ("accessToken", TEXT),
                    5: ("refreshToken", TEXT), 6: ("attempts", NUMBER), 7: ("nextAt", NUMBER)},
}


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


def opened(table, key, value, vault, terms):
    """The header's version and end, and the fields as tag and bytes."""
    _, _, flags, term, version, ends = struct.unpack("<BBHIQq", value[:24])
    place = b"".join(map(counted, key.split(b"\0", 1))) if table == "records" else counted(key)
    value_key = H(terms[term], PURPOSES[table], vault + value[:24] + place)
    payload = sodium.crypto_secretbox_open(value[48:], value[24:48], value_key)
    payload = payload[:payload.rindex(b"\x80")] if flags & 1 else payload
    found, at = [], 1
    while at < len(payload):
        tag, length = struct.unpack("<BH", payload[at:at + 3])
        found.append((tag, payload[at + 3:at + 3 + length]))
        at += 3 + length
    return version, ends or None, found


def number(data):
    return struct.unpack("<q", data)[0]


def open_record(key, value, vault, terms):
    user, sort = key.split(b"\0", 1)
    version, ends, found = opened("records", key, value, vault, terms)
    out = {"user": user.decode(), "platform": sort[9:].decode(), "version": version, "endsAt": ends}
    for tag, data in found:
        if tag == 14:
            out["health"] = ["healthy", "reconnect", "uncertain", "operator"][data[0]]
        elif tag in NAMES:
            out[NAMES[tag]] = number(data) if tag in NUMBERS else data.decode()
    return out


def deliveries(data):
    out, at = [], 0
    while at < len(data):
        state, attempts, since, following = struct.unpack("<BHqq", data[at:at + 19])
        at, texts = at + 19, []
        for _ in range(2):
            texts.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        out.append({"state": ["pending", "delivered", "dead"][state], "attempts": attempts, "since": since,
                    "nextAt": following, "receiver": texts[0], "code": texts[1]})
    return out


def open_errand(table, key, value, vault, terms):
    _, ends, found = opened(table, key, value, vault, terms)
    out = {"table": table, "key": key.hex(), "endsAt": ends}
    for tag, data in found:
        name, kind = ERRANDS[table][tag]
        out[name] = kind(data)
    return out


def unlocking(word, wrapped):
    """The key that a word stands for: a passphrase, a recovery key, or a file."""
    kind, _, text = word.partition(":")
    if kind == "recovery":
        letters = text.upper().replace("-", "").replace(" ", "")
        bits = 0
        for letter in letters:
            bits = bits << 5 | "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
        random = (bits >> 20).to_bytes(20, "big")
        check = int.from_bytes(hashlib.blake2b(random, digest_size=16).digest(), "big") >> 108
        assert bits & 0xFFFFF == check, "that is no recovery key"
        return H(bytes(32), "vault-recov-v1", random)
    if kind == "passphrase":
        # The first slot of that kind says how it is derived.
        at = 28
        while wrapped[at] != 2:
            at += 4 + struct.unpack("<H", wrapped[at + 2:at + 4])[0] + 88
        passes, kibibytes, salt = struct.unpack("<II16s", wrapped[at + 4:at + 28])
        return argon2id.kdf(32, text.encode(), salt, opslimit=passes, memlimit=kibibytes << 10)
    return open(word, "rb").read()


def main(store, word):
    environment = lmdb.open(store, max_dbs=16, readonly=True, lock=False)
    tables = {name: environment.open_db(name.encode(), create=False) for name in ["keyring", "state", *PURPOSES]}
    with environment.begin() as transaction:
        wrapped = transaction.get(b"keyring", db=tables["keyring"])
        vault, state_key, terms = open_keyring(wrapped, unlocking(word, wrapped))
        state = transaction.get(b"state", db=tables["state"])
        assert H(state_key, "vault-state-v1", state[:-32]) == state[-32:], "the state is not this vault's"
        for index, table in enumerate(PURPOSES):
            total, count = 0, 0
            for key, value in transaction.cursor(db=tables[table]):
                if table == "sessions" and key[:1] == b"u":
                    continue
                if table == "records":
                    print(json.dumps(open_record(key, value, vault, terms), sort_keys=True))
                elif table in ERRANDS:
                    print(json.dumps(open_errand(table, key, value, vault, terms), sort_keys=True))
                else:
                    opened(table, key, value, vault, terms)
                element = H(state_key, "vault-set-v1", bytes([index + 1]) + counted(key) + value[:24] + value[48:64])
                total, count = (total + int.from_bytes(element, "little")) % (1 << 256), count + 1
            expected = struct.pack("<Q", count) + total.to_bytes(32, "little")
            # Tables after the last that the state names are empty.
            at, named = 52 + 40 * index, struct.unpack("<H", state[2:4])[0]
            assert (state[at:at + 40] if index < named else bytes(40)) == expected, f"{table}: something is missing"


if __name__ == "__main__":
    main(*sys.argv[1:])

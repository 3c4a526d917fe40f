"""Keys that are always the same, and what is sealed with them: envelopes, and the fields in them."""
import hashlib, struct
from nacl import bindings as sodium

NOW = 1_800_000_000_000


def H(key, purpose, message, size=32):
    return hashlib.blake2b(message, digest_size=size, key=key, person=purpose.encode().ljust(16, b"\0")).digest()


def fixed(label, size=32):
    return hashlib.shake_256(label.encode()).digest(size)


def seal(key, nonce, plain):
    return sodium.crypto_secretbox(plain, nonce, key)


def counted(data):
    return struct.pack("<I", len(data)) + data


ROOT = fixed("root key")
VAULT = fixed("vault id", 16)
KR, STATE_KEY, INDEX_KEY, BACKUP_KEY = (fixed(x) for x in ("keyring root", "state key", "index key", "backup key"))
TERMS = {1: (2, fixed("term 1")), 2: (3, bytes(32)), 3: (1, fixed("term 3"))}
NUMBERS = {"records": 1, "identities": 2, "sessions": 3, "logins": 4, "journal": 5, "events": 6, "services": 7,
           "revocations": 8}
PURPOSES = {"records": "vault-rec-v1", "identities": "vault-ident-v1", "sessions": "vault-session-v1",
            "logins": "vault-login-v1", "journal": "vault-journal-v1", "events": "vault-event-v1",
            "services": "vault-service-v1", "revocations": "vault-revoke-v1"}
CLASSES = [298, 468, 638, 978, 1318, 1998, 4080, 8176, 12272, 16368]


def value(table, key, version, payload, ends=0, term=3, flags=1, format=1, vault=VAULT, pad=True):
    header = struct.pack("<BBHIQq", format, 1, flags, term, version, ends)
    if table == "records":
        user, sort = key.split(b"\0", 1)
        place = counted(user) + counted(sort)
    else:
        place = counted(key)
    if flags & 1 and pad:
        least = 64 + len(payload) + 1
        if table == "records":
            total = next(size for size in CLASSES if size >= least)
        else:
            total = 64 + (len(payload) + 32) // 32 * 32
        payload = payload + b"\x80" + bytes(total - least)
    nonce = fixed(f"nonce {table} {key} {version}", 24)
    key = H(TERMS[term][1], PURPOSES[table], vault + header + place)
    return header + nonce + seal(key, nonce, payload)


def fields(*pairs, version=1):
    out = bytes([version])
    for tag, data in pairs:
        if isinstance(data, int):
            data = struct.pack("<q", data)
        elif isinstance(data, str):
            data = data.encode()
        out += struct.pack("<BH", tag, len(data)) + data
    return out

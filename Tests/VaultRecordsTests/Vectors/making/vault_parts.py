"""What every vault is made of: its keyring, its state, and a connection."""
import hashlib, struct
from making.sealing import BACKUP_KEY, H, INDEX_KEY, KR, NOW, NUMBERS, ROOT, STATE_KEY, TERMS, VAULT
from making.sealing import counted, fields, fixed, seal, value

WORDS = "correct horse battery"


def keyring(vault=VAULT, format=1, first=None):
    """Two slots; `first` is the kind, the parameters and the key of the one before the root key's."""
    slots = b""
    passphrase = struct.pack("<II", 3, 256 << 10) + fixed("salt", 16)
    for kind, parameters, key in [first or (2, passphrase, fixed("passphrase key")), (1, b"", ROOT)]:
        wrapping = H(key, "vault-slot-v1", vault + struct.pack("<BH", kind, len(parameters)) + parameters)
        nonce = fixed(f"slot nonce {kind}", 24)
        slots += struct.pack("<BBH", kind, 0, len(parameters)) + parameters + H(key, "vault-keyid-v1", vault, 16)
        slots += nonce + seal(wrapping, nonce, KR)
    head = b"VKR1" + struct.pack("<BBH", format, 0, 2) + vault + struct.pack("<I", 7) + slots
    nonce = fixed("keyring nonce", 24)
    box = seal(H(KR, "vault-keyring-v1", head), nonce, body())
    out = head + nonce + struct.pack("<I", len(box)) + box
    return out + hashlib.blake2b(out, digest_size=16).digest()


def body():
    """What the keyring keeps sealed."""
    out = b"\1" + STATE_KEY + INDEX_KEY + BACKUP_KEY + struct.pack("<H", len(TERMS))
    for id, (state, key) in TERMS.items():
        out += struct.pack("<IBq", id, state, NOW - 1000 * (10 - id)) + key
    return out





def element(table, k, v):
    """What a value adds to the set hash of its table."""
    return int.from_bytes(
        H(STATE_KEY, "vault-set-v1", bytes([NUMBERS[table]]) + counted(k) + v[:24] + v[48:64]), "little")


def state(rows, sequence=100, vault=VAULT, format=1):
    tables = max([5] + [NUMBERS[table] for table, _, _ in rows if table in NUMBERS])
    out = struct.pack("<BBH", format, 0, tables) + vault + struct.pack("<Qqq", sequence, NOW - 500, NOW - 9000)
    out += struct.pack("<II", 7, 0)
    terms = {}
    for table in list(NUMBERS)[:tables]:
        total, count = 0, 0
        for _, k, v in (row for row in rows if row[0] == table and not (table == "sessions" and row[1][:1] == b"u")):
            total = (total + element(table, k, v)) % (1 << 256)
            count += 1
            term = struct.unpack("<I", v[4:8])[0]
            terms[term] = terms.get(term, 0) + 1
        out += struct.pack("<Q", count) + total.to_bytes(32, "little")
    out += struct.pack("<H", len(terms)) + b"".join(struct.pack("<IQ", *term) for term in sorted(terms.items()))
    return out + H(STATE_KEY, "vault-state-v1", out)


def key(user, platform):
    return user.encode() + b"\0platform#" + platform.encode()


def connection(access="access-1", due=None, refresh="refresh-1", expires=NOW + 3600_000, name="Ada L.",
               health=b"\0", extra=(), version=1):
    pairs = [(1, due), (2, access), (3, refresh), (4, "Bearer"), (5, "read write"), (6, expires), (7, NOW - 5000),
             (8, NOW - 4000), (9, NOW - 3000), (10, "account-7"), (11, name), (12, "client-1"), (13, 42), (14, health)]
    return fields(*[pair for pair in pairs if pair[1] is not None], *extra, version=version)


def records(*entries):
    return [("records", k, value("records", k, v, p, **more)) for k, v, p, more in entries]

"""A backup as bytes: whom it is for, what it holds, and where it begins and ends."""
import hashlib, struct
from nacl import bindings as sodium
from nacl.pwhash import argon2id
from making.sealing import BACKUP_KEY, H, NOW, NUMBERS, ROOT, STATE_KEY, VAULT, fixed, seal
from making.vault_parts import WORDS, body, element, keyring, state
from making.vector import write

# What stands whole in every backup, after the state.
WHOLE = ["journal", "events", "services", "revocations"]
SECRET = fixed("backup secret key")
PUBLIC = sodium.crypto_scalarmult_base(SECRET)
COST = struct.pack("<II", 1, 8) + fixed("backup salt", 16)


def sealed_box(plain, public):
    """crypto_box_seal with a fixed sender."""
    sender = fixed("ephemeral key")
    sender_public = sodium.crypto_scalarmult_base(sender)
    nonce = hashlib.blake2b(sender_public + public, digest_size=24).digest()
    return sender_public + sodium.crypto_box(plain, nonce, public, sender)


def slot(kind, id, file_key):
    nonce = fixed(f"backup nonce {kind}", 24)
    if kind == 1:
        content = nonce + seal(H(BACKUP_KEY, "vault-backup-v1", id), nonce, file_key) + keyring()
    elif kind == 2:
        salt = COST[8:]
        key = argon2id.kdf(32, WORDS.encode(), salt, opslimit=1, memlimit=8 << 10)
        content = COST + nonce + seal(H(key, "vault-bkpass-v1", id + COST), nonce, file_key)
    elif kind == 3:
        content = PUBLIC + sealed_box(file_key, PUBLIC)
    else:
        content = b"of a later version"
    return struct.pack("<BBH", kind, 0, len(content)) + content


def contents(rows):
    """Count and set hash of connections and of accounts."""
    out = []
    for table in ("records", "identities"):
        elements = [element(table, k, v) for t, k, v in rows if t == table]
        out.append((len(elements), sum(elements) % (1 << 256)))
    return out


def point(sequence, rows):
    return struct.pack("<Q", sequence) + H(STATE_KEY, "vault-chain-v1", struct.pack("<Q", sequence) + b"".join(
        struct.pack("<Q", count) + total.to_bytes(32, "little") for count, total in contents(rows)))


def item(table, k, v):
    return struct.pack("<BBHH", 2, NUMBERS[table], len(k), len(v)) + k + v


def change(table, k, old, v):
    stamp = b"" if old is None else old[:24] + old[48:64]
    return struct.pack("<BBHHB", 4, NUMBERS[table], len(k), len(v or b""), bool(stamp)) + stamp + k + (v or b"")


def init_push(stream, key):
    """secretstream's init_push with a fixed header, so that the vectors never change."""
    header = fixed("stream header", 24)
    # A pull that begins at the same header has the state that a push has.
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(stream, header, key)
    return header


def backup(name, comment, expected, rows, change_=lambda data: data, seq=100, manifest=None, values=None, changes=(),
           since=None, kinds=(1,), unlock="", st=None, more=b"", whole=None):
    """`rows` are the vault's at the end, `values` what is written of them, `since` a sequence and the rows then."""
    id, file_key = fixed("backup id", 16), fixed("file key")
    slots = b"".join(slot(kind, id, file_key) for kind in kinds)
    if values is None:
        values = [] if since else [row for row in rows if row[0] not in WHOLE]
    journal = [row for row in rows if row[0] in WHOLE] if whole is None else whole
    count = len(values) + len(changes) + len(journal)
    head = b"VBK1" + struct.pack("<BBH", 1, 2 if since else 1, len(kinds)) + VAULT + id
    head += (point(*since) if since else bytes(40)) + point(seq, rows)
    head += struct.pack("<qQII", NOW, count, 65536, len(slots)) + slots
    head += hashlib.blake2b(head, digest_size=16).digest()
    out = head + H(file_key, "vault-bkhead-v1", head)
    st = state(rows) if st is None else st
    ring, opened = keyring(), body()
    plain = struct.pack("<BH", 5, len(ring)) + ring + struct.pack("<H", len(opened)) + opened
    plain += b"".join(item(*row) for row in values) + b"".join(change(*row) for row in changes)
    plain += struct.pack("<BH", 1, len(st)) + st + b"".join(item(*row) for row in journal) + more
    numbers = manifest or (count, len(plain))
    plain += struct.pack("<BQQ", 3, *numbers) + hashlib.blake2b(plain, digest_size=32).digest()
    stream = sodium.crypto_secretstream_xchacha20poly1305_state()
    out += init_push(stream, H(file_key, "vault-bkdata-v1", b""))
    chunks = [plain[at:at + 65536] for at in range(0, len(plain), 65536)]
    for index, chunk in enumerate(chunks):
        tag = 3 if index == len(chunks) - 1 else 0
        out += sodium.crypto_secretstream_xchacha20poly1305_push(stream, chunk, struct.pack("<Q", index), tag)
    lines = [f"# {comment}", f"root-key {ROOT.hex()}", f"expect {expected}", f"backup {change_(out).hex()}"]
    if unlock:
        lines.append(f"unlock {unlock}")
    if expected == "ok":
        lines += [f"connections {len([row for row in rows if row[0] == 'records'])}", f"sequence {seq}"]
        if since:
            lines.append(f"since {since[0]}")
    write(name + ".backup", lines)


def remake(data, kind):
    """The checksum of a changed header, made anew: anybody can."""
    size = 144 + len(slot(kind, fixed("backup id", 16), bytes(32)))
    return data[:size] + hashlib.blake2b(data[:size], digest_size=16).digest() + data[size + 16:]

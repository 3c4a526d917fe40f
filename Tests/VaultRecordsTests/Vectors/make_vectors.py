#!/usr/bin/env python3
"""Makes the vectors beside it, from Documentation.docc/Format and nothing else.

Needs PyNaCl. Everything is fixed, so running it again changes no byte:

    python3 make_vectors.py

A vector is lines of `name value`; `#` begins a comment. `open` says what opening the store must give:
`ok`, `wrong-key`, `damaged` or `newer-format`; `unlock` says with what, where it is not the root key. Then one line for
each connection that is asked for, with what must come: fields, `none`, `damaged` or `newer-format`. `event`, `service`
and `revocation` are all of these that must be found; `services` says what asking for service keys gives instead.
"""
import hashlib, os, struct
from nacl import bindings as sodium
from nacl.pwhash import argon2id

HERE = os.path.dirname(os.path.abspath(__file__))
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
# What stands whole in every backup, after the state.
WHOLE = ["journal", "events", "services", "revocations"]
CLASSES = [298, 468, 638, 978, 1318, 1998, 4080, 8176, 12272, 16368]


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
    body = b"\x01" + STATE_KEY + INDEX_KEY + BACKUP_KEY + struct.pack("<H", len(TERMS))
    for id, (state, key) in TERMS.items():
        body += struct.pack("<IBq", id, state, NOW - 1000 * (10 - id)) + key
    nonce = fixed("keyring nonce", 24)
    box = seal(H(KR, "vault-keyring-v1", head), nonce, body)
    out = head + nonce + struct.pack("<I", len(box)) + box
    return out + hashlib.blake2b(out, digest_size=16).digest()


def value(table, key, version, payload, ends=0, term=3, flags=1, format=1, vault=VAULT,
          pad=True):
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


def connection(access="access-1", due=None, refresh="refresh-1", expires=NOW + 3600_000, name="Ada L.",
               health=b"\0", extra=(), version=1):
    pairs = [(1, due), (2, access), (3, refresh), (4, "Bearer"), (5, "read write"), (6, expires), (7, NOW - 5000),
             (8, NOW - 4000), (9, NOW - 3000), (10, "account-7"), (11, name), (12, "client-1"), (13, 42), (14, health)]
    return fields(*[pair for pair in pairs if pair[1] is not None], *extra, version=version)


def key(user, platform):
    return user.encode() + b"\0platform#" + platform.encode()


def state(rows, sequence=100, vault=VAULT, format=1):
    tables = max([5] + [NUMBERS[table] for table, _, _ in rows if table in NUMBERS])
    out = struct.pack("<BBH", format, 0, tables) + vault + struct.pack("<Qqq", sequence, NOW - 500, NOW - 9000)
    out += struct.pack("<II", 7, 0)
    terms = {}
    for table, number in list(NUMBERS.items())[:tables]:
        total, count = 0, 0
        for _, k, v in (row for row in rows if row[0] == table and not (table == "sessions" and row[1][:1] == b"u")):
            element = H(STATE_KEY, "vault-set-v1", bytes([number]) + counted(k) + v[:24] + v[48:64])
            total = (total + int.from_bytes(element, "little")) % (1 << 256)
            count += 1
            term = struct.unpack("<I", v[4:8])[0]
            terms[term] = terms.get(term, 0) + 1
        out += struct.pack("<Q", count) + total.to_bytes(32, "little")
    out += struct.pack("<H", len(terms)) + b"".join(struct.pack("<IQ", *term) for term in sorted(terms.items()))
    return out + H(STATE_KEY, "vault-state-v1", out)


def indexed(rows):
    """The rows with the index entries they must have."""
    marks = {"records": b"", "events": b"\x03", "services": b"\x04", "revocations": b"\x05"}
    out = list(rows)
    for table, k, v in rows:
        if table not in marks:
            continue
        version, ends = v[8:16], struct.unpack("<q", v[16:24])[0]
        if ends:
            out.append(("expiry", struct.pack(">Q", ends) + marks[table] + k, version))
        if table == "revocations":
            out.append(("due", b"\x83" + struct.pack(">Q", NEXT) + k, version))
        if table == "events" and k != TOLD:
            out.append(("due", b"\x84" + k, version))
    return out


def store(name, comment, rows, expected, opened="ok", root=ROOT, ring=None, st=None, sound=None, unlock=None, more=()):
    lines = [f"# {comment}", f"root-key {root.hex()}", f"now {NOW}", f"open {opened}"]
    if unlock:
        lines.append(f"unlock {unlock}")
    if sound is not None:
        lines.append(f"check {sound}")
    ring = keyring() if ring is None else ring
    st = state(rows) if st is None else st
    for table, k, v in [("keyring", b"keyring", ring), ("state", b"state", st)] + indexed(rows):
        lines.append(f"row {table} {k.hex()} {v.hex()}")
    lines += [f"connection {line}" for line in expected] + list(more)
    with open(os.path.join(HERE, name + ".vector"), "w") as file:
        file.write("\n".join(lines) + "\n")


def records(*entries):
    return [("records", k, value("records", k, v, p, **more)) for k, v, p, more in entries]


# Events, service keys and pending revocations.
PENDING, TOLD, NEXT, END = struct.pack(">Q", 60), struct.pack(">Q", 61), NOW + 30_000, NOW + 3600_000
SERVICE, ANYWHERE = bytes.fromhex("00112233aabbccdd"), bytes.fromhex("8899aabbccddeeff")
# Of a known account, and of one whose subject nobody knows.
ACCOUNT, NOBODYS = b"platform#spotify\0account-7", b"\x01ada\0platform#my-idp"


def delivery(state, attempts, receiver, code=""):
    out = struct.pack("<BHqq", state, attempts, NOW - 2000, NOW - 1000)
    return out + b"".join(bytes([len(text)]) + text.encode() for text in (receiver, code))


def errands():
    told = delivery(1, 2, "crm", "http-200") + delivery(2, 20, "audit", "http-500")
    payloads = [
        ("events", PENDING, 60, END, fields((1, "evt_1"), (2, 3), (3, "ada"), (4, "spotify"), (5, NOW - 3000),
                                            (6, "invalid_grant"), (7, NOW + 5000), (8, "a b"), (9, "pending"),
                                            (10, "service:x"))),
        ("events", TOLD, 65, END, fields((1, "evt_2"), (2, 1), (3, "ada"), (4, "spotify"), (5, NOW - 2000), (11, told))),
        ("services", SERVICE, 62, END, fields((1, "job"), (2, H(INDEX_KEY, "vault-service-id", b"5" * 64)),
                                              (3, "read-token write"), (4, "my-idp spotify"), (5, NOW - 4000))),
        ("services", ANYWHERE, 63, 0, fields((1, "all"), (2, fixed("digest")), (3, "delete later"), (5, NOW - 4000))),
        ("revocations", NOBODYS, 64, END, fields((1, "ada"), (2, "my-idp"), (3, ""), (4, "access-9"), (6, 0), (7, NEXT))),
        ("revocations", ACCOUNT, 66, END, fields((1, "bob"), (2, "spotify"), (3, "account-7"), (4, "access-8"),
                                                 (5, "refresh-8"), (6, 3), (7, NEXT))),
    ]
    return [(table, k, value(table, k, version, payload, ends=ends)) for table, k, version, ends, payload in payloads]


ERRANDS = [
    f"event 60 id=evt_1 kind=3 user=ada platform=spotify at={NOW - 3000} reason=invalid_grant grant-end={NOW + 5000} "
    f"missing=a_b revoked=pending by=service:x told= ends={END}",
    f"event 61 id=evt_2 kind=1 user=ada platform=spotify at={NOW - 2000} told=crm:1:2:http-200,audit:2:20:http-500 "
    f"ends={END}",
    f"service 00112233aabbccdd name=job actions=read-token_write platforms=my-idp_spotify created={NOW - 4000} "
    f"digest={H(INDEX_KEY, 'vault-service-id', b'5' * 64).hex()} ends={END}",
    f"service 8899aabbccddeeff name=all actions=delete platforms=* created={NOW - 4000} digest={fixed('digest').hex()} "
    "ends=",
    f"revocation ada my-idp subject= access=access-9 refresh= attempts=0 next={NEXT} ends={END}",
    f"revocation bob spotify subject=account-7 access=access-8 refresh=refresh-8 attempts=3 next={NEXT} ends={END}",
]

FULL = ("access=access-1 refresh=refresh-1 type=Bearer scope=read_write expires=1800003600000 created=1799999995000 "
        "updated=1799999996000 consented=1799999997000 subject=account-7 name=Ada_L. client=client-1 generation=42")


WORDS = "correct horse battery"
R = fixed("recovery key", 20)
RECOVERY = H(bytes(32), "vault-recov-v1", R)


def paper(random):
    """A recovery key as it is written down."""
    check = int.from_bytes(hashlib.blake2b(random, digest_size=16).digest(), "big") >> (128 - 20)
    bits = int.from_bytes(random, "big") << 20 | check
    letters = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> at & 31] for at in range(175, -1, -5))
    return "-".join(letters[at:at + 4] for at in range(0, 36, 4))


def stores():
    ada, bob = key("ada", "spotify"), key("bob", "my-idp")
    one = records((ada, 9, connection(), {}))
    store("envelope-good", "A connection with every field but a due time and an end.", one,
          [f"ada spotify {FULL} health=healthy version=9", "ada github none", "bob spotify none"], sound="sound")
    store("envelope-least", "A connection with the least there can be, without padding, of an older term.",
          records((bob, 3, connection(access="", refresh=None, expires=None, name=None), dict(flags=0, term=1))),
          ["bob my-idp access= type=Bearer generation=42 health=healthy version=3"], sound="sound")
    for health, data in [("reconnect", b"\x01revoked"), ("uncertain", b"\x02"), ("operator", b"\x03bad secret")]:
        store(f"health-{health}", f"Health {health}.", records((ada, 9, connection(health=data), {})),
              [f"ada spotify access=access-1 health={health}"], sound="sound")
    store("lifetime-ended", "A record whose end is now is not there.",
          records((ada, 9, connection(), dict(ends=NOW))), ["ada spotify none"], sound="sound")
    store("lifetime-last-millisecond", "A record that ends in the next millisecond is there.",
          records((ada, 9, connection(), dict(ends=NOW + 1))), ["ada spotify access=access-1"], sound="sound")
    store("optional-tag", "A tag of 128 or more is passed over.",
          records((ada, 9, connection(extra=[(200, "later")]), {})), ["ada spotify access=access-1"], sound="sound")
    store("unknown-tag", "Another unknown tag is of a newer format.",
          records((ada, 9, connection(extra=[(15, "later")]), {})), ["ada spotify newer-format"], sound="bad")
    store("newer-payload", "A payload of version 2.", records((ada, 9, connection(version=2), {})),
          ["ada spotify newer-format"], sound="bad")
    store("newer-envelope", "An envelope of format 2.", records((ada, 9, connection(), dict(format=2))),
          ["ada spotify newer-format"], sound="bad")
    store("unknown-flag", "An envelope with a flag nobody knows.", records((ada, 9, connection(), dict(flags=3))),
          ["ada spotify newer-format"], sound="bad")
    value_ = one[0][2]
    store("moved-to-another-user", "ada's value under bob's key.", [("records", key("bob", "spotify"), value_)],
          ["bob spotify damaged"], sound="bad")
    store("moved-between-names", "The same bytes, split elsewhere.", [("records", key("ad", "aspotify"), value_)],
          ["ad aspotify damaged"], sound="bad")
    other = struct.pack("<q", NOW + 9999)
    store("another-header", "The end in the header was changed.",
          [("records", ada, value_[:16] + other + value_[24:])], ["ada spotify damaged"], sound="bad")
    store("another-vault", "A value sealed by the same term in another vault.",
          records((ada, 9, connection(), dict(vault=fixed("other vault", 16)))), ["ada spotify damaged"], sound="bad")
    store("another-table", "A value sealed as a journal entry.",
          [("records", ada, value("journal", ada, 9, connection()))], ["ada spotify damaged"], sound="bad")
    store("destroyed-term", "A value that names a term whose key is gone.",
          records((ada, 9, connection(), dict(term=2))), ["ada spotify damaged"], sound="bad")
    store("no-padding", "Flagged as padded, and is not.",
          records((ada, 9, connection(), dict(pad=False))), ["ada spotify damaged"], sound="bad")
    store("one-damaged-of-two", "A damaged record hides no other.",
          [("records", ada, value_[:-1] + bytes([value_[-1] ^ 1]))] + records((bob, 10, connection(), {})),
          ["ada spotify damaged", "bob my-idp access=access-1"], sound="bad")
    store("dropped", "A value the state counts is not there.", one, [f"ada spotify {FULL}"],
          st=state(one + records((bob, 10, connection(), {}))), sound="bad")
    store("put-back", "An older version of a value, with a good seal.", one, ["ada spotify version=9"],
          st=state(records((ada, 12, connection(), {}))), sound="bad")

    store("wrong-key", "The root key is another.", one, [], opened="wrong-key", root=fixed("other root"))
    ring = keyring()
    store("keyring-flipped", "A bit of the keyring's key id: damage, not a wrong key.", one, [], opened="damaged",
          ring=ring[:60] + bytes([ring[60] ^ 1]) + ring[61:])
    store("keyring-newer", "A keyring of format 2.", one, [], opened="newer-format", ring=keyring(format=2))
    store("keyring-of-another-vault", "The keyring and the state are of two vaults.", one, [], opened="damaged",
          ring=keyring(vault=fixed("other vault", 16)))
    st = state(one)
    store("state-flipped", "The sequence in the state was changed.", one, [], opened="damaged",
          st=st[:20] + bytes([st[20] ^ 1]) + st[21:])
    errand = errands()
    held = one + errand
    store("errands-good", "Events, service keys and pending revocations, with all their fields and with the least.", held,
          [f"ada spotify {FULL}"], sound="sound", more=ERRANDS)
    store("errands-not-counted", "They are there, and the state is one of before them.", held, [], st=state(one),
          sound="bad", more=ERRANDS)
    store("errands-dropped", "An event that the state counts is not there.", one + errand[1:], [], st=state(held),
          sound="bad", more=ERRANDS[1:])
    exchanged = [(errand[0][0], errand[1][1], errand[0][2]), (errand[1][0], errand[0][1], errand[1][2])]
    store("events-exchanged", "Two events under each other's numbers do not open, and hide nothing else.",
          one + exchanged + errand[2:], [], st=state(held), sound="bad", more=ERRANDS[2:])
    store("service-of-another", "A service key's value under another's id does not open.",
          one + errand[:2] + [("services", ANYWHERE, errand[2][2])] + errand[4:], [], st=state(held), sound="bad",
          more=["services damaged"] + ERRANDS[:2] + ERRANDS[4:])

    least = struct.pack("<II", 1, 8) + fixed("salt", 16)
    by_words = (2, least, argon2id.kdf(32, WORDS.encode(), least[8:], opslimit=1, memlimit=8 << 10))
    store("unlock-passphrase", "The keyring opened with a passphrase.", one, [f"ada spotify {FULL}"],
          ring=keyring(first=by_words), unlock=f"passphrase {WORDS}", sound="sound")
    store("unlock-another-passphrase", "Another passphrase.", one, [], opened="wrong-key",
          ring=keyring(first=by_words), unlock="passphrase correct horse staple")
    store("unlock-no-passphrase", "A passphrase where no slot is for one.", one, [], opened="wrong-key",
          ring=keyring(first=(3, b"", RECOVERY)), unlock=f"passphrase {WORDS}")
    for name, numbers in [("passes", (65, 8)), ("memory", (1, (2 << 20) + 1))]:
        store(f"unlock-too-many-{name}", "A passphrase's slot asks for more than any vault does.", one, [],
              opened="damaged", ring=keyring(first=(2, struct.pack("<II", *numbers) + least[8:], by_words[2])),
              unlock=f"passphrase {WORDS}")
    store("unlock-recovery", "The keyring opened with a recovery key.", one, [f"ada spotify {FULL}"],
          ring=keyring(first=(3, b"", RECOVERY)), unlock=f"recovery {paper(R)}", sound="sound")
    store("unlock-another-recovery", "Another recovery key.", one, [], opened="wrong-key",
          ring=keyring(first=(3, b"", RECOVERY)), unlock=f"recovery {paper(fixed('another recovery', 20))}")
    store("state-newer", "A state of format 2.", one, [], opened="newer-format", st=state(one, format=2))


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
        elements = [H(STATE_KEY, "vault-set-v1", bytes([NUMBERS[table]]) + counted(k) + v[:24] + v[48:64])
                    for t, k, v in rows if t == table]
        total = sum(int.from_bytes(element, "little") for element in elements) % (1 << 256)
        out.append((len(elements), total))
    return out


def point(sequence, rows):
    return struct.pack("<Q", sequence) + H(STATE_KEY, "vault-chain-v1", struct.pack("<Q", sequence) + b"".join(
        struct.pack("<Q", count) + total.to_bytes(32, "little") for count, total in contents(rows)))


def body():
    out = b"\1" + STATE_KEY + INDEX_KEY + BACKUP_KEY + struct.pack("<H", len(TERMS))
    for id, (state, key) in TERMS.items():
        out += struct.pack("<IBq", id, state, NOW - 1000 * (10 - id)) + key
    return out


def vault(users, large=False):
    rows = []
    for index, user in enumerate(users):
        k = key(user, "spotify")
        rows.append(("records", k, value("records", k, 10 + index, connection(access="x" * (9000 if large else 20)))))
    k = b"platform#spotify\0account-7"
    rows.append(("identities", b"\x01" + key(users[0], "spotify"),
                 value("identities", b"\x01" + key(users[0], "spotify"), 70, fields((1, "account-7")))))
    rows.append(("identities", k, value("identities", k, 71, fields((1, users[0])))))
    k = key(users[-1], "spotify")
    rows.append(("journal", k, value("journal", k, 80, fields((1, 42), (2, NOW)))))
    return rows


def item(table, k, v):
    return struct.pack("<BBHH", 2, NUMBERS[table], len(k), len(v)) + k + v


def change(table, k, old, v):
    stamp = b"" if old is None else old[:24] + old[48:64]
    return struct.pack("<BBHHB", 4, NUMBERS[table], len(k), len(v or b""), bool(stamp)) + stamp + k + (v or b"")


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
    with open(os.path.join(HERE, name + ".backup"), "w") as file:
        file.write("\n".join(lines) + "\n")


def init_push(stream, key):
    """secretstream's init_push with a fixed header, so that the vectors never change."""
    header = fixed("stream header", 24)
    # A pull that begins at the same header has the state that a push has.
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(stream, header, key)
    return header


def backups():
    ada, two, many = vault(["ada"]), vault(["ada", "bob"]), vault([f"user-{index:02}" for index in range(6)], True)
    flip = lambda at: lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
    backup("backup-good", "Two connections, an account, an unfinished refresh.", "ok", two)
    backup("backup-chunks", "Several chunks.", "ok", many)
    backup("backup-cut", "The last byte is missing.", "damaged", ada, lambda data: data[:-1])
    backup("backup-cut-at-a-chunk", "Everything after the first chunk is missing.", "damaged", many,
           lambda data: data[:144 + len(slot(1, fixed("backup id", 16), bytes(32))) + 72 + 65553])
    backup("backup-longer", "A byte was added.", "damaged", ada, lambda data: data + b"\0")
    backup("backup-flipped", "A bit of the last chunk.", "damaged", ada, flip(-40))
    backup("backup-header-flipped", "A bit of the sequence in the header.", "damaged", ada, flip(80))
    backup("backup-newer", "Format 2.", "newer-format", ada, lambda data: data[:4] + b"\2" + data[5:])
    backup("backup-newer-kind", "Kind 3.", "newer-format", ada, lambda data: data[:5] + b"\3" + data[6:])
    backup("backup-manifest", "A manifest that counts one more, sealed well.", "damaged", ada, manifest=(5, 1))
    backup("backup-order", "Two values exchanged, sealed well.", "damaged", two,
           values=[two[1], two[0], two[2], two[3]])
    backup("backup-sequence", "A header of another moment than the state's, sealed well.", "damaged", ada, seq=99)
    backup("backup-dropped", "A value the state counts was left out, sealed well.", "damaged", two, values=two[1:4])
    backup("backup-after-the-end", "A keyring after the state, sealed well.", "damaged", ada,
           more=struct.pack("<BH", 5, len(keyring())) + keyring() + struct.pack("<H", len(body())) + body())

    busy = two + errands()
    backup("backup-errands", "Events, service keys and pending revocations after the state.", "ok", busy)
    backup("backup-errands-dropped", "One of them left out, sealed well.", "damaged", busy, whole=busy[4:-1])
    backup("backup-errands-order", "Two of them exchanged, sealed well.", "damaged", busy,
           whole=busy[4:-2] + [busy[-1], busy[-2]])
    backup("increment-errands", "An increment has all of them, though nothing else changed.", "ok", busy,
           since=(95, two))

    # What changed while a full backup was copied: bob was read, then written again; cy came; ada went.
    before, k = vault(["ada", "bob"]), key("bob", "spotify")
    cy = ("records", key("cy", "spotify"), value("records", key("cy", "spotify"), 91, connection()))
    bob = ("records", k, value("records", k, 90, connection(access="later")))
    after = [bob, cy] + before[2:]
    steps = [("records", before[0][1], before[0][2], None), ("records", k, before[1][2], bob[2]),
             ("records", cy[1], None, cy[2])]
    backup("backup-slices", "Values of several moments, and the changes that make them one.", "ok", after,
           values=before[:4], changes=steps)
    backup("backup-slices-stale", "The same with a change left out, sealed well.", "damaged", after,
           values=before[:4], changes=steps[1:])

    backup("increment-good", "The same changes as an increment.", "ok", after, changes=steps, since=(95, before))
    backup("increment-empty", "Nothing changed.", "ok", before, since=(95, before))
    backup("increment-dropped", "A change left out, sealed well.", "damaged", after, changes=steps[:2],
           since=(95, before))
    backup("increment-stamp", "A change that names another value before, sealed well.", "damaged", after,
           changes=[steps[0], ("records", k, before[0][2], bob[2]), steps[2]], since=(95, before))
    backup("increment-beginning", "It began with other contents, sealed well.", "damaged", after, changes=steps,
           since=(95, after))
    backup("increment-values", "An increment with a value that is no change, sealed well.", "damaged", before,
           values=before[:1], since=(95, before[1:]))
    backup("increment-backwards", "It ends before it begins, sealed well.", "damaged", before, since=(101, before))
    backup("increment-header-flipped", "A bit of where it begins.", "damaged", before, flip(50), since=(95, before))

    secret = "secret " + SECRET.hex()
    words = "passphrase " + WORDS
    backup("for-public-key", "For a public key alone.", "ok", two, kinds=(3,), unlock=secret)
    backup("for-passphrase", "For a passphrase alone.", "ok", two, kinds=(2,), unlock=words)
    backup("for-three", "For the vault, a passphrase, a public key, and a kind that nobody knows.", "ok", two,
           kinds=(9, 1, 2, 3), unlock=secret)
    backup("for-three-by-root", "The same, opened with the root key.", "ok", two, kinds=(9, 1, 2, 3))
    backup("for-three-by-passphrase", "The same, opened with the passphrase.", "ok", two, kinds=(9, 2, 1, 3),
           unlock=words)
    backup("for-another-key", "For a public key; another secret key.", "wrong-key", two, kinds=(3,),
           unlock="secret " + fixed("another secret key").hex())
    backup("for-another-passphrase", "For a passphrase; another one.", "wrong-key", two, kinds=(2,),
           unlock="passphrase correct horse staple")
    backup("for-public-key-by-root", "For a public key alone; the vault's root key.", "wrong-key", two, kinds=(3,))
    backup("for-nobody", "No slot at all.", "damaged", two, kinds=())
    backup("for-public-key-flipped", "A bit of the sealed box.", "damaged", two, flip(144 + 4 + 32 + 40), kinds=(3,),
           unlock=secret)
    backup("for-passphrase-flipped", "A bit of the salt.", "damaged", two, flip(144 + 4 + 12), kinds=(2,),
           unlock=words)
    remade = lambda at: lambda data: remake(flip(at)(data), 2)
    backup("for-passphrase-remade", "A bit of the cost, with a checksum that fits.", "damaged", two,
           remade(144 + 4 + 7), kinds=(2,), unlock=words)


def remake(data, kind):
    """The checksum of a changed header, made anew: anybody can."""
    size = 144 + len(slot(kind, fixed("backup id", 16), bytes(32)))
    return data[:size] + hashlib.blake2b(data[:size], digest_size=16).digest() + data[size + 16:]


stores()
backups()

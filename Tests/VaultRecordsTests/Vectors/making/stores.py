"""The stores, good and bad."""
import hashlib, struct
from nacl.pwhash import argon2id
from making.errands import ANYWHERE, ERRANDS, NEXT, TOLD, errands
from making.sealing import H, NOW, ROOT, fixed, value
from making.vault_parts import WORDS, connection, key, keyring, records, state
from making.vector import write

FULL = ("access=access-1 refresh=refresh-1 type=Bearer scope=read_write expires=1800003600000 created=1799999995000 "
        "updated=1799999996000 consented=1799999997000 subject=account-7 name=Ada_L. client=client-1 generation=42")
R = fixed("recovery key", 20)
RECOVERY = H(bytes(32), "vault-recov-v1", R)


def paper(random):
    """A recovery key as it is written down."""
    check = int.from_bytes(hashlib.blake2b(random, digest_size=16).digest(), "big") >> (128 - 20)
    bits = int.from_bytes(random, "big") << 20 | check
    letters = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> at & 31] for at in range(175, -1, -5))
    return "-".join(letters[at:at + 4] for at in range(0, 36, 4))


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
    write(name + ".vector", lines)


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

"""The backups and increments, good and bad."""
import struct
from making.backup_format import SECRET, backup, remake, slot
from making.errands import errands
from making.sealing import NOW, fields, fixed, value
from making.vault_parts import WORDS, body, connection, key, keyring


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

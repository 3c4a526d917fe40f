"""Events, service keys and pending revocations, with all their fields and with the least."""
import struct
from making.sealing import H, INDEX_KEY, NOW, fields, fixed, value

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

"""The token endpoint as a good Python service does it: FastAPI on uvicorn with uvloop and httptools, PyJWT, PyNaCl,
py-lmdb. It checks the session's JWT and that the session is still stored, reads the record, opens it (a key of BLAKE2b
for every record, secretbox), looks whether the token is fresh and answers.

    server.py load DIR RECORDS     makes the store and prints a session's JWT for the first user
    server.py serve DIR PORT
"""

import hashlib
import json
import os
import sys
import time

import jwt
import lmdb
import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse
from nacl import bindings, utils

SECRET = "a-secret-of-the-benchmark-and-of-nobody-else"
KEY = bytes(range(1, 33))
VAULT = b"python-vault-001"
PERSON = b"vault-rec-v1".ljust(16, b"\0")


def record_key(place, header):
    return hashlib.blake2b(VAULT + header + place, key=KEY, person=PERSON, digest_size=32).digest()


def seal(place, payload):
    header = bytes([1, 1, 1, 0]).ljust(24, b"\0")
    nonce = utils.random(24)
    return header + nonce + bindings.crypto_secretbox(payload, nonce, record_key(place, header))


def unseal(place, value):
    return bindings.crypto_secretbox_open(value[48:], value[24:48], record_key(place, value[:24]))


def place(user, platform):
    return user.encode() + b"\0platform#" + platform.encode()


def open_store(path):
    store = lmdb.open(path, map_size=1 << 40, max_dbs=8, readahead=False)
    return store, store.open_db(b"records"), store.open_db(b"sessions")


def load(path, count):
    store, records, sessions = open_store(path)
    now = int(time.time())
    user = "user-0000000000"
    for first in range(0, count, 10_000):
        with store.begin(write=True) as transaction:
            for number in range(first, min(first + 10_000, count)):
                key = place(f"user-{2 * number:010}", "sandbox")
                # As long as vault's record of 638 bytes.
                record = {
                    "accessToken": "a" * 220, "refreshToken": "r" * 131, "tokenType": "Bearer",
                    "scope": "profile library.read library.write", "expiresAt": now + 365 * 86400,
                }
                payload = json.dumps(record).encode().ljust(574)
                transaction.put(key, seal(key, payload), db=records, append=True)
    claims = {"iss": "peer", "aud": "vault", "sub": user, "iat": now, "exp": now + 12 * 3600, "jti": "session-1"}
    with store.begin(write=True) as transaction:
        key = hashlib.blake2b(b"session-1", key=KEY, digest_size=32).digest()
        session = json.dumps({"user": user, "endsAt": claims["exp"]}).encode().ljust(128)
        transaction.put(key, seal(key, session), db=sessions)
    print(jwt.encode(claims, SECRET, algorithm="HS256"))


def application(path):
    store, records, sessions = open_store(path)
    app = FastAPI(openapi_url=None)

    def stored(table, key):
        with store.begin(db=table, buffers=False) as transaction:
            value = transaction.get(key)
        return None if value is None else json.loads(unseal(key, value))

    @app.get("/auth/{platform}/token")
    async def token(platform: str, authorization: str = Header("")):
        try:
            claims = jwt.decode(
                authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"], audience="vault", issuer="peer")
        except jwt.InvalidTokenError as error:
            raise HTTPException(401, "there is no valid session") from error
        session = stored(sessions, hashlib.blake2b(claims["jti"].encode(), key=KEY, digest_size=32).digest())
        if session is None or session["user"] != claims["sub"] or session["endsAt"] <= time.time():
            raise HTTPException(401, "there is no valid session")
        record = stored(records, place(claims["sub"], platform))
        if record is None or record["expiresAt"] <= time.time() + 60:
            raise HTTPException(404, "there is no connection")
        answer = {
            "accessToken": record["accessToken"], "tokenType": record["tokenType"],
            "expiresAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record["expiresAt"])),
            "scope": record["scope"],
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    return app


if __name__ == "__main__":
    if sys.argv[1] == "load":
        os.makedirs(sys.argv[2], exist_ok=True)
        load(sys.argv[2], int(sys.argv[3]))
    else:
        uvicorn.run(
            application(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[3]), loop="uvloop", http="httptools",
            access_log=False, log_level="warning")

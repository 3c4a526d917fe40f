"""Sessions as PyJWT sees them: HS256 and EdDSA, the published keys, rotation, and forgeries at the vault.

Usage: sessions_test.py VAULT PLUGINS. Exit status 0: all promises held; 77: it cannot run here.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import tempfile

from vault_process import Browser, Vault, bearer

CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti"]


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class House:
    """One vault whose session settings change from start to start."""

    def __init__(self, program, plugins, folder):
        self.folder = folder
        self.vault = Vault(program, plugins, folder, lambda _: "")

    def secret(self, name):
        """A new secret in a file; returns the reference to it."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(os.urandom(32).hex())
        return "file:" + path

    def start(self, algorithm, secret, *previous):
        self.vault.stop()
        self.vault.arguments = ["--session-algorithm", algorithm, "--session-secret", secret]
        if previous:
            self.vault.arguments += ["--session-previous-secrets", ",".join(previous)]
        self.vault.start()

    def issue(self):
        status, out, err = self.vault.run("session", "issue", "alice")
        assert status == 0, err
        return out.split()[-1]

    def accepts(self, token):
        status, _, answer = Browser().call("GET", self.vault.url + "/auth/session", headers=bearer(token))
        assert status in (200, 401), (status, answer)
        assert status == 200 or answer["code"] == "unauthorized", answer
        return status == 200

    def keys(self):
        status, headers, answer = Browser().call("GET", self.vault.url + "/.well-known/jwks.json")
        assert status == 200 and headers["Content-Type"] == "application/jwk-set+json", headers
        assert "max-age=" in headers["Cache-Control"], headers
        return answer["keys"]


def check_hs256(jwt, house, reference):
    house.start("HS256", reference)
    token = house.issue()
    with open(reference[5:], encoding="utf-8") as file:
        secret = file.read()
    claims = jwt.decode(
        token, secret, algorithms=["HS256"], audience="vault", issuer=house.vault.url, options={"require": CLAIMS})
    assert claims["sub"] == "alice" and claims["exp"] > claims["iat"]
    assert jwt.get_unverified_header(token)["typ"] == "vault-session+jwt"
    assert house.keys() == [], "a secret's keys are nobody's"
    assert house.accepts(token)
    print("ok HS256: PyJWT verifies it with the secret")
    return token


def check_eddsa(jwt, house, reference, earlier):
    house.start("EdDSA", reference)
    assert house.accepts(earlier), "another algorithm must log nobody out"
    token = house.issue()
    # As another service would: nothing but the address of the keys.
    found = jwt.PyJWKClient(house.vault.url + "/.well-known/jwks.json").get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token, found.key, algorithms=["EdDSA"], audience="vault", issuer=house.vault.url,
        options={"require": CLAIMS})
    assert claims["sub"] == "alice"
    key, = house.keys()
    assert {name: key[name] for name in ("kty", "crv", "use", "alg")} == {
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}, key
    assert "d" not in key and set(key) == {"kty", "crv", "use", "alg", "kid", "x"}
    for altered in (token[:-8] + "AAAAAAAA", token.replace(".", "A.", 1)):
        try:
            jwt.decode(altered, found.key, algorithms=["EdDSA"], audience="vault")
            raise AssertionError("PyJWT took an altered token")
        except jwt.InvalidTokenError:
            pass
    print("ok EdDSA: PyJWT verifies it with /.well-known/jwks.json")
    return token, key


def check_forgeries(jwt, house, token, key):
    header, payload, signature = token.split(".")
    claims = json.loads(decode(payload))
    names = json.loads(decode(header))

    def sign(changed, secret):
        text = encode(json.dumps(changed, separators=(",", ":")).encode()) + "." + payload
        return text + "." + encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())

    public = decode(key["x"])
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    whole = ed25519.Ed25519PublicKey.from_public_bytes(public)
    pem = whole.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forger = ed25519.Ed25519PrivateKey.generate()
    forgeries = {
        "none": jwt.encode(claims, None, algorithm="none", headers={**names, "alg": "none"}),
        "none, with the signature": encode(json.dumps({**names, "alg": "none"}).encode()) + f".{payload}.{signature}",
        "HS256 with the raw public key": sign({**names, "alg": "HS256"}, public),
        "HS256 with the public key as PEM": sign({**names, "alg": "HS256"}, pem),
        "HS256 with the public key's text": sign({**names, "alg": "HS256"}, key["x"].encode()),
        "HS256 with the key as JSON": sign({**names, "alg": "HS256"}, json.dumps(key).encode()),
        "HS256 with nothing": sign({**names, "alg": "HS256"}, b""),
        "a pair of the forger's": jwt.encode(claims, forger, algorithm="EdDSA", headers=names),
        "a key in the header": jwt.encode(
            claims, forger, algorithm="EdDSA",
            headers={**names, "jwk": {**key, "x": encode(forger.public_key().public_bytes_raw())}}),
        "altered claims": header + "." + encode(
            json.dumps({**claims, "sub": "bob"}, separators=(",", ":")).encode()) + "." + signature,
        "altered signature": f"{header}.{payload}." + ("B" if signature[0] == "A" else "A") + signature[1:],
        "no signature": f"{header}.{payload}.",
    }
    for what, forged in forgeries.items():
        assert not house.accepts(forged), what
    assert house.accepts(token)
    print(f"ok {len(forgeries)} forgeries are refused")


def check_rotation(jwt, house, first, old_token):
    second = house.secret("second")
    house.start("EdDSA", second, first)
    assert house.accepts(old_token), "a new secret must log nobody out"
    new_token = house.issue()
    keys = jwt.PyJWKClient(house.vault.url + "/.well-known/jwks.json")
    for token in (old_token, new_token):
        jwt.decode(token, keys.get_signing_key_from_jwt(token).key, algorithms=["EdDSA"], audience="vault")
    assert [key["kid"] for key in house.keys()][0] == jwt.get_unverified_header(new_token)["kid"]
    house.start("EdDSA", second)
    assert not house.accepts(old_token) and house.accepts(new_token)
    assert len(house.keys()) == 1
    print("ok rotation logs nobody out while the old secret is known, and publishes both keys")


def main(program, plugins):
    try:
        import cryptography  # noqa: F401
        import jwt
    except ImportError:
        print("skipped: the Python package PyJWT[crypto] is not installed (make test puts it into .build/e2e-venv)")
        return 77
    os.environ["no_proxy"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="vault-sessions-") as folder:
        house = House(program, plugins, folder)
        first = house.secret("first")
        with house.vault:
            earlier = check_hs256(jwt, house, first)
            token, key = check_eddsa(jwt, house, first, earlier)
            check_forgeries(jwt, house, token, key)
            check_rotation(jwt, house, first, token)
            assert house.vault.stop() == 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

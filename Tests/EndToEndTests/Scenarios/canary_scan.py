"""Looks for secrets in everything that was written, as they are and in the encodings they could hide in."""

import base64
import json
import os
import urllib.parse

# So much of a secret is a leak already.
PIECE = 16


def forms(value):
    """How a secret may stand in a file: name → bytes."""
    raw = value if isinstance(value, bytes) else value.encode()
    found = {"raw": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode()}
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            # What stands before it moves its letters; its first and last ones mix with the neighbours'.
            text = encode(b"\0" * shift + raw).rstrip(b"=")
            found[f"{name}+{shift}"] = text[4 if shift else 0:-2]
    if isinstance(value, str):
        found["percent"] = urllib.parse.quote(value, safe="").encode()
        found["json"] = json.dumps(value)[1:-1].replace("/", "\\/").encode()
        found["utf-16"] = value.encode("utf-16-le")
        # Shortened, as a careful log line might; of a session everything before the signature is no secret.
        core = raw.rpartition(b".")[2]
        found["beginning"], found["end"] = core[:PIECE], core[-PIECE:]
    return {name: form for name, form in found.items() if len(form) >= 12}


def leaks(data, secrets):
    """The secrets that stand in `data`, each with the form it was found in."""
    return [(what, name) for what, value in secrets for name, form in forms(value).items() if form in data]


def leaks_beneath(folder, secrets, but=()):
    """The same for every file of a folder: what, form and file."""
    found, looked = [], 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if path in but or not os.path.isfile(path):
                continue
            looked += 1
            with open(path, "rb") as file:
                found += [(*leak, os.path.relpath(path, folder)) for leak in leaks(file.read(), secrets)]
    assert looked > 5, f"only {looked} files were looked at"
    return found

"""`vault sandbox`: a second provider beside the one of `vault serve --sandbox`, as the platform `radio`."""

import os
import subprocess
import time
import urllib.error

from vault_process import Browser, free_port


class SecondProvider:
    """Started before the vault, because a platform's endpoints are looked up there."""

    def __init__(self, program, folder):
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.command = [program, "sandbox", "--sandbox-port", str(self.port)]
        self.log = os.path.join(folder, "sandbox.log")
        self.process = None

    def platform(self, vault):
        return f"""
[platforms.radio]
provider = "oidc"
issuer = "{self.issuer}"
client-id = "radio"
client-secret = "radio-secret"
redirect-uri = "{vault.url}/auth/radio/callback"
display-name = "Radio"
insecure-loopback = true
"""

    def start(self, vault, client=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        client = client or {"id": "radio", "secret": "radio-secret", "name": "Vault demo",
                  "redirectURIs": [f"{vault.url}/auth/radio/callback"]}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                assert Browser().call("POST", self.issuer + "/control", body={"client": client})[0] == 200
                return
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, "vault sandbox ended"
                time.sleep(0.05)
        raise AssertionError("vault sandbox did not become ready")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

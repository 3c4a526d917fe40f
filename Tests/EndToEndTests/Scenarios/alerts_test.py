"""Packaging/alerts.yml, with promtool and with a real Prometheus that watches a real vault.

Usage: alerts_test.py VAULT PLUGINS. Exit status 0: all promises held; 77: it cannot run here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from vault_process import Vault, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
ALERTS = os.path.normpath(os.path.join(HERE, "../../../Packaging/alerts.yml"))
# Only a server with [tls] shows it.
ELSEWHERE = {"vault_tls_certificate_end"}
# Only counted when somebody asked for something.
LATER = {"vault_http_requests_total", "vault_http_request_duration_seconds_bucket"}

PLATFORMS = """
[platforms.sandbox]
provider = "oidc"
issuer = "http://127.0.0.1:9"
client-id = "x"
client-secret = "env:NOBODY_SETS_THIS"
insecure-loopback = true
[platforms.broken]
provider = "nobody-has-this-plugin"
client-id = "x"
[webhooks.hook]
url = "http://127.0.0.1:9/"
secret = "env:HOOK_SECRET"
"""


def check_rules(folder):
    """Each alert fires on what it is for, and none on a vault that is well."""
    for file in (ALERTS, os.path.join(HERE, "alerts_test.yml")):
        shutil.copy(file, folder)
    done = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(ALERTS, encoding="utf-8") as file:
        alerts = re.findall(r"- alert: (\w+)", file.read())
    with open(os.path.join(HERE, "alerts_test.yml"), encoding="utf-8") as file:
        tested = set(re.findall(r'alertname="(\w+)"', file.read()))
    assert set(alerts) == tested, set(alerts) ^ tested
    # The same with an alert that looks at something else: it must be noticed.
    with open(ALERTS, encoding="utf-8") as source, open(f"{folder}/alerts.yml", "w", encoding="utf-8") as target:
        target.write(source.read().replace("vault_refreshes_unsaved > 0", "vault_refreshes_unsaved > 5"))
    broken = subprocess.run(["promtool", "test", "rules", "alerts_test.yml"], cwd=folder, capture_output=True, check=False)
    assert broken.returncode != 0, "a broken alert passes"
    print(f"ok {len(alerts)} alerts fire on what they are for and on nothing else")


def check_names(text):
    """What the alerts look at is what the vault shows."""
    with open(ALERTS, encoding="utf-8") as file:
        # Comments and instructions name log lines and commands.
        rules = "\n".join(line for line in file if not re.match(r"\s*(#|summary:|action:)", line))
    names = set(re.findall(r"\b(?:vault|process)_[a-z_]+\b", rules))
    shown = set(re.findall(r"^(\w+)", text, re.MULTILINE))
    assert names > LATER and names - shown - ELSEWHERE == set(), names - shown
    for label, value in re.findall(r'(outcome)="(\w+)"', rules):
        assert f'{label}="{value}"' in text, value
    print(f"ok the {len(names)} metrics they look at are there, with their labels")


def read(url):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return answer.read().decode()


class Prometheus:
    def __init__(self, folder, target):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = os.path.join(folder, "prometheus.yml")
        shutil.copy(ALERTS, folder)
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [alerts.yml]\n"
                f"scrape_configs: [{{job_name: vault, static_configs: [{{targets: ['{target}']}}]}}]\n")
        self.log = os.path.join(folder, "prometheus.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                 f"--web.listen-address={self.url[7:]}"], stdout=log, stderr=log)

    def ask(self, path, **query):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        return json.loads(read(url))["data"]

    def wait(self, what, look):
        deadline = time.monotonic() + 90
        last = None
        while time.monotonic() < deadline:
            assert self.process.poll() is None, open(self.log, encoding="utf-8").read()
            try:
                last = look()
                if last:
                    return last
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"{what} did not come: {last}")

    def alerts(self):
        return {
            (alert["labels"]["alertname"], alert["labels"].get("platform")) for alert in self.ask("alerts")["alerts"]}

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def check_prometheus(program, plugins, folder):
    os.environ["HOOK_SECRET"] = "whsec_" + "QUJD" * 11
    os.environ["NOBODY_SETS_THIS"] = "s"
    with Vault(program, plugins, folder, lambda _: PLATFORMS) as vault:
        prometheus = Prometheus(folder, vault.admin[7:])
        try:
            read(vault.url + "/auth/platforms")
            prometheus.wait("a scrape", lambda: prometheus.ask("query", query='up{job="vault"} == 1')["result"])
            check_names(read(vault.admin + "/metrics"))
            rules = prometheus.wait("the rules", lambda: [
                rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]
                if all(rule["health"] == "ok" for rule in group["rules"])])
            assert len(rules) > 10
            prometheus.wait("an alert on the broken platform", lambda: (
                "VaultPlatformUnusable", "broken") in prometheus.alerts())
            assert ("VaultPlatformUnusable", "sandbox") not in prometheus.alerts()
            assert not any(name == "VaultDown" for name, _ in prometheus.alerts())
            vault.stop()
            prometheus.wait("an alert on the vault that went", lambda: (
                "VaultDown", None) in prometheus.alerts())
        finally:
            prometheus.stop()
    print("ok a real Prometheus reads them and sees a platform without a plugin, and a vault that went")


def main(program, plugins):
    if shutil.which("promtool") is None or shutil.which("prometheus") is None:
        print("skipped: prometheus (Debian: prometheus) is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="vault-alerts-") as folder:
        check_rules(folder)
    with tempfile.TemporaryDirectory(prefix="vault-alerts-") as folder:
        check_prometheus(program, plugins, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

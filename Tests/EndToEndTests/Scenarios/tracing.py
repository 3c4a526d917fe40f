"""strace on a server that runs: what makes its system calls fail, or ends it at one of them."""

import os
import subprocess


def tracing_works():
    """Why strace cannot be put on a process that runs, or None."""
    sleeper = subprocess.Popen(["sleep", "1"])
    try:
        done = subprocess.run(
            ["strace", "-qq", "-o", "/dev/null", "-p", str(sleeper.pid)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no strace"
    finally:
        sleeper.wait()
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()[:80]}"


def attach(torture, *words):
    """strace on the vault's server; returns when it holds every thread."""
    strace = subprocess.Popen(
        ["strace", "-f", "-o", trace(torture), *words, "-p", str(torture.vault.process.pid)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    # "Process … attached": from here on it counts.
    strace.stderr.readline()
    return strace


def trace(torture):
    """Where it writes what it saw."""
    return os.path.join(torture.folder, "strace.log")

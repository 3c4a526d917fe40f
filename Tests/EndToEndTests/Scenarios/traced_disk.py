"""A disk that is full from one moment on, for a server that runs."""

import os
import subprocess
import time


class FullDisk:
    """Every write to the store's file fails with ENOSPC from here on until it is over."""

    def __init__(self, torture):
        file = os.path.join(torture.folder, "store", "data.mdb")
        calls = "pwrite64,pwritev,writev"
        self.strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", os.path.join(torture.folder, "strace.log"), "-P", file,
             "-e", f"trace={calls}", "-e", f"inject={calls}:error=ENOSPC", "-p", str(torture.vault.process.pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not traced(torture.vault.process.pid):
            assert time.monotonic() < deadline, "strace does not hold the server"
            time.sleep(0.01)

    def over(self):
        self.strace.terminate()
        try:
            self.strace.wait(timeout=5)
        except subprocess.TimeoutExpired:
            # One that missed the end of a thread waits for it for ever.
            self.strace.kill()
            self.strace.wait()


def traced(process):
    """Whether every thread of it is."""
    tasks = f"/proc/{process}/task"
    for task in os.listdir(tasks):
        try:
            with open(f"{tasks}/{task}/status", encoding="ascii") as file:
                if "TracerPid:\t0\n" in file.read():
                    return False
        except FileNotFoundError:
            continue
    return True

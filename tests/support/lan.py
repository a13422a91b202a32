"""What tests with a TAP device share: a network namespace of their own, and both ends' addresses.

enter() moves this process, and all that it starts, into a new network namespace, which goes away with
the last of them; devices in it too. Where that is not permitted the file is skipped, and says why.
The kernel of the namespace is the peer of every `weir run --link tap:...` in it.
"""
import ctypes
import os
import random
import subprocess
import sys

import rig

CLONE_NEWNET = 0x40000000
KERNEL, WEIR = "10.77.0.1", "10.77.0.2"  # who is who on a device that weir makes


def why_not():
    if os.geteuid() != 0:
        return "needs root: a network namespace and a TAP device"
    if not rig.find("ip"):
        return "not installed: iproute2"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return "unshare: " + os.strerror(ctypes.get_errno())
    try:
        ip("tuntap", "add", "probe0", "mode", "tap")
        ip("tuntap", "del", "probe0", "mode", "tap")
    except subprocess.CalledProcessError as error:
        return "no TAP device: " + error.stderr.strip()
    return None


def enter():
    reason = why_not()
    if reason:
        print(f"1..0 # SKIP {reason}\nskipped: {reason}", flush=True)
        sys.exit(0)
    for where in ("all", "default"):  # its announcements are frames that no test waits for
        path = f"/proc/sys/net/ipv6/conf/{where}/disable_ipv6"
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as knob:
                knob.write("1")
    ip("link", "set", "lo", "up")


def ip(*words):
    """Runs ip(8); what it prints."""
    return subprocess.run([rig.find("ip"), *words], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


def make_file(path, size, seed=1):
    """A file of bytes that no compression and no repetition explains away."""
    with open(path, "wb") as stream:
        stream.write(random.Random(seed).randbytes(size))
    return path


class Case(rig.Case):
    """`weir run --link tap:weir0`, and programs on the kernel's sockets."""

    def tap(self, *words, options=(), **more):
        return self.weir(*words, options=("--link", "tap:weir0", *options), **more)

    def kernel(self, *words, **more):
        """A program with the kernel's sockets."""
        return self.start(*words, **more)

    def stands(self, program):
        """Waits until weir has both ends of the device."""
        program.wait_for(r"^weir: tap weir0: weir is", stream="err")

    def idle(self, options=()):
        """A stack that runs, with a program that does nothing."""
        program = self.tap("sh", "-c", "echo ready; exec sleep 1000", options=options)
        program.wait_for("^ready$")
        return program

    def web(self, start, address, port, file):
        """A web server, started by `start`, that listens."""
        server = start(sys.executable, os.path.join(rig.SUPPORT, "web_program.py"), address, port, file)
        server.wait_for("^ready$")
        return server

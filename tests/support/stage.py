#!/usr/bin/env python3
"""A network for one run of subjects, where nobody else is: `stage.py COMMAND...` runs the command there.

It has loopback, the servers of peers.py, and networks that cannot be reached, each in its way.
NETS in the environment of the command says "own" then. Where the kernel allows no network namespace
the command gets the host's network, with the servers, and NETS is "host".
"""
import os
import subprocess
import sys

import alone
import peers

WATCHED = {"linger": "echo", "half": "echo", "unread": "hello"}
ROUTES = (("unreachable", "198.51.100.0/25"), ("prohibit", "198.51.100.128/25"))


def main():
    is_own = alone.leave_host()
    for kind, network in ROUTES if is_own else ():
        alone.ip("route", "add", kind, network)
    servers = peers.Peers(WATCHED)
    environment = {**os.environ, **servers.environment(), "NETS": "own" if is_own else "host"}
    status = subprocess.call(sys.argv[1:], env=environment)
    servers.close()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()

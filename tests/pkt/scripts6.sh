#!/bin/bash
# The packet scripts once more, over IPv6: all but those that name their version. With 20 bytes more of
# MTU for the longer header, each number in them is the same.
mapfile -t scripts < <(grep -rL --include='*.pkt' -e '--ip_version=' "$WEIR_SOURCE/tests/pkt" | sort)
exec "$WEIR" packetdrill --tap --strict --tolerance_usecs=0 --ip_version=ipv6 --mtu=1520 "${scripts[@]}"

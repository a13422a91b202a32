#!/bin/bash
# Plays every packet script of this folder: one case each, in virtual time, to the microsecond.
exec "$WEIR" packetdrill --tap --strict --tolerance_usecs=0 "$WEIR_SOURCE/tests/pkt"

#!/bin/sh
# Builds lwip_peer from lwIP's own source (2.1.x), with the options beside this file.
# usage: build.sh LWIP_DIRECTORY OUTPUT [CFLAGS...]      default CFLAGS: -O3 -flto
set -eu
[ $# -ge 2 ] || { sed -n 3p "$0" >&2; exit 2; }
lwip=$1/src output=$2
shift 2
[ $# -gt 0 ] || set -- -O3 -flto
here=$(cd "$(dirname "$0")" && pwd)
bench=$here/..
core=$lwip/core

exec gcc -std=gnu11 -D_GNU_SOURCE -g -w "$@" \
    -I"$here" -I"$bench/support" -isystem "$lwip/include" \
    "$core/def.c" "$core/inet_chksum.c" "$core/init.c" "$core/ip.c" "$core/mem.c" \
    "$core/memp.c" "$core/netif.c" "$core/pbuf.c" "$core/tcp.c" "$core/tcp_in.c" \
    "$core/tcp_out.c" "$core/timeouts.c" "$core/ipv4/etharp.c" "$core/ipv4/icmp.c" \
    "$core/ipv4/ip4.c" "$core/ipv4/ip4_addr.c" "$lwip/netif/ethernet.c" \
    "$here/linked.c" "$bench/lwip_peer.c" "$bench/support/bench.c" "$bench/support/job.c" \
    "$bench/support/lwip_link.c" "$bench/support/lwip_port.c" -o "$output"

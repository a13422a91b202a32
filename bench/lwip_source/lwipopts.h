/*
 * Knows:  lwIP's options. The rest of them keep lwIP's defaults.
 * Shape:  the fastest setup found for one thread: no OS layer, IPv4 and TCP only, no assertions.
 *         A larger TCP_WND is slower on an in-memory link (README.md has the figures).
 * Units:  bytes where lwIP says bytes.
 * Errors: lwIP's own sanity checks stay on, but for the one about a pool we do not use.
 * Cost:   none at run time.
 */
#ifndef BENCH_LWIPOPTS_H
#define BENCH_LWIPOPTS_H

#include "lwip_port.h"

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_NOASSERT 1
#define LWIP_STATS 0

#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ETHERNET 1
#define LWIP_UDP 0
#define LWIP_RAW 0
#define IP_FRAG 0
#define IP_REASSEMBLY 0
#define IP_FORWARD 0
#define LWIP_SUPPORT_CUSTOM_PBUF 1 /* the link's frames; usually comes with IP_FRAG */

#define MEM_ALIGNMENT 16
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define mem_clib_malloc lwip_port_malloc
#define mem_clib_calloc lwip_port_calloc
#define mem_clib_free lwip_port_free
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1 /* it compares TCP_WND with PBUF_POOL, which is heap */

#define LWIP_CHKSUM lwip_port_chksum
#define LWIP_CHECKSUM_ON_COPY 1
#define LWIP_NETIF_TX_SINGLE_PBUF 1

#define TCP_MSS 1460
#ifndef TCP_WND
#define TCP_WND 0xFFFF
#endif
#define TCP_SND_BUF TCP_WND
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define SO_REUSE 1

#endif

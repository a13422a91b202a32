/* What is said of a frame: the fields that a person reads in a ladder.
 *
 * Knows: wire. Shape: a copy, so that it outlives the frame. Units: bytes, host order.
 * Errors: what is not understood is LAB_OTHER. */
#ifndef LAB_SEG_H
#define LAB_SEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/frame.h>
#include <weir/stack.h>

enum lab_proto { LAB_OTHER, LAB_TCP, LAB_UDP, LAB_ICMP, LAB_ARP };

struct lab_seg {
    uint8_t proto; /* enum lab_proto */
    uint8_t flags; /* TCP: FIN to CWR */
    uint8_t ttl;
    uint8_t icmp_type, icmp_code;
    uint8_t opts; /* enum tcp_opt_flag */
    uint8_t wscale, sacks;
    uint16_t sport, dport;
    uint16_t id, wnd, mss, mtu; /* mtu: of an ICMP "fragmentation needed" */
    uint16_t arp_op;
    bool is_df;
    bool is_v6; /* src and dst are the last 32 bits; ICMP's types and codes are ICMPv4's */
    uint32_t src, dst;
    uint32_t seq, ack, tsval, tsecr;
    uint32_t len; /* payload */
    uint32_t sack[4][2];
    uint8_t accs; /* counters of accurate ECN */
    bool is_acc_1;
    uint32_t acc[3];
};

/* Reads the frame's headers. */
void lab_seg_read(struct lab_seg *s, const struct weir_frame *f, enum weir_link_type type);
/* Equal for two sights of one packet, wherever on its way. */
uint64_t lab_seg_key(const struct lab_seg *s);

#endif

/* Counters, by the names that /proc/net/snmp and /proc/net/netstat know where there is one
 * ("TcpExt" and so on in front), and the reasons for which frames are dropped. All count from the
 * stack's beginning and never go back. Indexes are from 0; NULL or 0 for one that is not there. The
 * tables are src/def/stats.def and src/def/drops.def. */
#ifndef WEIR_STAT_H
#define WEIR_STAT_H

#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

int weir_stat_count(void);
const char *weir_stat_name(int index); /* "TcpRetransSegs" */
const char *weir_stat_doc(int index);
uint64_t weir_stat(const struct weir_stack *stack, int index);
uint64_t weir_stat_by_name(const struct weir_stack *stack, const char *name); /* O(counters) */

int weir_drop_count(void);
const char *weir_drop_name(int index); /* "tcp_checksum" */
const char *weir_drop_doc(int index);
uint64_t weir_drops(const struct weir_stack *stack, int index);

/* Where the frames went. frames_in == delivered + answered + forwarded + parked + dropped, always.
 */
struct weir_account {
    uint64_t frames_in;
    uint64_t delivered; /* to a connection or socket, or judged by one */
    uint64_t answered;  /* by the stack itself: ARP, echo */
    uint64_t forwarded; /* as a router: net.ipv4.ip_forward */
    uint64_t parked;    /* kept until more is there */
    uint64_t dropped;   /* the sum of weir_drops over what came in */
    uint64_t frames_out;
    uint64_t bytes_in, bytes_out;       /* of frames, link header and all */
    uint64_t mem_bytes, mem_peak_bytes; /* held from the allocator, without the stack itself */
};
void weir_account(const struct weir_stack *stack, struct weir_account *out);

#ifdef __cplusplus
}
#endif

#endif

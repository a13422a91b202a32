/* Counters, by the names that `netstat -s` and /proc/net/snmp know where there is one, and the
 * reasons for which frames are dropped. */
#ifndef WEIR_STAT_H
#define WEIR_STAT_H

#include <weir/stack.h>

int weir_stat_count(void);
const char *weir_stat_name(int index); /* "TcpRetransSegs" */
const char *weir_stat_doc(int index);
uint64_t weir_stat(const struct weir_stack *stack, int index);
uint64_t weir_stat_by_name(const struct weir_stack *stack, const char *name);

int weir_drop_count(void);
const char *weir_drop_name(int index); /* "tcp_checksum" */
const char *weir_drop_doc(int index);
uint64_t weir_drops(const struct weir_stack *stack, int index);

/* Where the frames went. in == delivered + answered + forwarded + parked + dropped, always. */
struct weir_account {
    uint64_t frames_in, delivered, answered, forwarded, parked, dropped;
    uint64_t frames_out;
    uint64_t bytes_in, bytes_out;
    uint64_t mem_bytes, mem_peak_bytes; /* held from the allocator */
};
void weir_account(const struct weir_stack *stack, struct weir_account *out);

#endif

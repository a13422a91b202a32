/* A flight of segments and nothing else: a tcp, a tcb and its records, for unit tests of loss
 * recovery. */
#ifndef UNIT_TCP_FLIGHT_H
#define UNIT_TCP_FLIGHT_H

#include "unit.h"

#include "stack/tables.h"
#include "tcp/recovery.h"

#define MSS 1000u
#define MS 1000
#define RTT_US (100 * MS)

static struct mem mem;
static struct stats stats;
static struct knobs knobs;
static struct tcp tcp;
static struct tcb tcb;

static UNUSED struct seq at(uint32_t segment)
{
    return seq_of(0xfffffc18u + segment * MSS); /* numbers wrap behind the first segment */
}

static UNUSED int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, NULL, NULL);
    memset(&tcp, 0, sizeof tcp);
    memset(&tcb, 0, sizeof tcb);
    memset(&stats, 0, sizeof stats);
    knobs_init(&knobs);
    tcp.mem = &mem;
    tcp.stats = &stats;
    tcp.knobs = &knobs;
    tcp.now_us = 1000 * MS;
    tcb.snd.una = tcb.snd.nxt = at(0);
    tcb.snd.mss = MSS;
    tcb.flags = T_SACK;
    tcb.rtt = (struct rtt){.srtt_us = RTT_US, .min_us = RTT_US, .rto_us = 300 * MS};
    cc_init(&tcb.cc, CC_reno, MSS, 10);
    return 0;
}

static UNUSED int teardown(void **state)
{
    (void)state;
    sent_free(&tcp, &tcb);
    mem_fini(&mem);
    return 0;
}

/* Segments up to `to` leave, a millisecond apart. */
static UNUSED struct sent *send_to(uint32_t to)
{
    while (seq_lt(tcb.snd.nxt, at(to))) {
        struct seq from = tcb.snd.nxt;
        tcp.now_us += MS;
        tcb.snd.nxt = seq_add(from, MSS);
        sent_add(&tcp, &tcb, from, tcb.snd.nxt);
    }
    return tcb.sent;
}

static UNUSED void again(uint32_t segment)
{
    sent_again(&tcp, &tcb, at(segment), at(segment + 1));
}

static UNUSED struct ack_event event(void)
{
    return (struct ack_event){.now_us = tcp.now_us, .ack = tcb.snd.una, .nxt = tcb.snd.nxt};
}

#define FLIGHT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif

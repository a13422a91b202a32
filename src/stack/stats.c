/* Counters and drop reasons by name: the public face of stats.def, drops.def and counted.def.
 *
 * Knows: the tables. Shape: struct stats is an array of the rows in order; a counter that is a sum
 * of drop reasons is summed when it is asked for. Units: events. Errors: NULL or 0 for an index or
 * name that is not there. Cost: O(1) by index, O(rows) by name.
 */
#include <string.h>

#include "stack/tables.h"
#include "weir/stat.h"
#include "wire/wire.h"

struct row {
    const char *name, *doc;
};

static const struct row stats[] = {
#define STAT(name, doc) {#name, doc},
#include "def/stats.def"
#undef STAT
};
static const struct row drops[] = {
#define DROP(name, where, doc) {#name, doc},
#include "def/drops.def"
#undef DROP
};
#define STATS ((int)(sizeof stats / sizeof stats[0]))
_Static_assert(sizeof(struct stats) == sizeof(uint64_t) * STATS, "struct stats is its rows");

/* Counters that are sums of drop reasons. */
enum {
#define STAT(name, doc) STAT_##name,
#include "def/stats.def"
#undef STAT
};
static const struct {
    uint16_t stat, drop;
} counted[] = {
#define COUNTED(stat, drop) {STAT_##stat, DROP_##drop - DROP_FIRST},
#include "def/counted.def"
#undef COUNTED
};

int weir_stat_count(void)
{
    return STATS;
}

const char *weir_stat_name(int index)
{
    return index >= 0 && index < STATS ? stats[index].name : NULL;
}

const char *weir_stat_doc(int index)
{
    return index >= 0 && index < STATS ? stats[index].doc : NULL;
}

uint64_t weir_stat(const struct weir_stack *stack, int index)
{
    uint64_t value = 0;

    if (index >= 0 && index < STATS)
        memcpy(&value, (const char *)stack_stats(stack) + (size_t)index * sizeof value,
               sizeof value);
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        if (counted[i].stat == index)
            value += stack_drops(stack)[counted[i].drop];
    return value;
}

uint64_t weir_stat_by_name(const struct weir_stack *stack, const char *name)
{
    for (int i = 0; i < STATS; i++)
        if (strcmp(stats[i].name, name) == 0)
            return weir_stat(stack, i);
    return 0;
}

int weir_drop_count(void)
{
    return DROP_COUNT;
}

const char *weir_drop_name(int index)
{
    return index >= 0 && index < DROP_COUNT ? drops[index].name : NULL;
}

const char *weir_drop_doc(int index)
{
    return index >= 0 && index < DROP_COUNT ? drops[index].doc : NULL;
}

uint64_t weir_drops(const struct weir_stack *stack, int index)
{
    return index >= 0 && index < DROP_COUNT ? stack_drops(stack)[index] : 0;
}

void stats_icmp(struct stats *s, uint8_t type, bool is_out)
{
    switch (type) {
    case ICMP4_UNREACH:
        *(is_out ? &s->IcmpOutDestUnreachs : &s->IcmpInDestUnreachs) += 1;
        break;
    case ICMP4_TIME:
        *(is_out ? &s->IcmpOutTimeExcds : &s->IcmpInTimeExcds) += 1;
        break;
    case ICMP4_ECHO:
        *(is_out ? &s->IcmpOutEchos : &s->IcmpInEchos) += 1;
        break;
    case ICMP4_ECHO_REPLY:
        *(is_out ? &s->IcmpOutEchoReps : &s->IcmpInEchoReps) += 1;
        break;
    default:
        break;
    }
}

void stats_icmp6(struct stats *s, uint8_t type, bool is_out)
{
    switch (type) {
    case ICMP6_UNREACH:
        *(is_out ? &s->Icmp6OutDestUnreachs : &s->Icmp6InDestUnreachs) += 1;
        break;
    case ICMP6_TOO_BIG:
        *(is_out ? &s->Icmp6OutPktTooBigs : &s->Icmp6InPktTooBigs) += 1;
        break;
    case ICMP6_TIME:
        *(is_out ? &s->Icmp6OutTimeExcds : &s->Icmp6InTimeExcds) += 1;
        break;
    case ICMP6_PARAM:
        *(is_out ? &s->Icmp6OutParmProblems : &s->Icmp6InParmProblems) += 1;
        break;
    case ICMP6_ECHO:
        *(is_out ? &s->Icmp6OutEchos : &s->Icmp6InEchos) += 1;
        break;
    case ICMP6_ECHO_REPLY:
        *(is_out ? &s->Icmp6OutEchoReplies : &s->Icmp6InEchoReplies) += 1;
        break;
    default:
        break;
    }
}

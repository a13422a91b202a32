/* Counters of one stack. From stats.def. */
#ifndef DEF_STAT_H
#define DEF_STAT_H

#include <stdint.h>

struct stats {
#define STAT(name, doc) uint64_t name;
#include "def/stats.def"
#undef STAT
};

#endif

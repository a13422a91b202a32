/* Verdicts: what became of a frame. From drops.def. */
#ifndef DEF_DROP_H
#define DEF_DROP_H

enum drop {
    PASS = 0, /* delivered or answered */
    KEPT = 1, /* parked: reassembly, neighbour queue */
#define DROP(name, where, doc) DROP_##name,
#include "def/drops.def"
#undef DROP
    DROP_END
};
#define DROP_FIRST 2
#define DROP_COUNT (DROP_END - DROP_FIRST)

#endif

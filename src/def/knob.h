/* The knobs of one stack as fields. From knobs.def. */
#ifndef DEF_KNOB_H
#define DEF_KNOB_H

#include <stdint.h>

struct knobs {
#define KNOB(field, name, unit, preset, min, max, cite, doc) int64_t field;
#define KNOB3(field, name, unit, a, b, c, min, max, doc) int64_t field[3];
#include "def/knobs.def"
#undef KNOB
#undef KNOB3
};

#endif

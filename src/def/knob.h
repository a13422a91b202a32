/* The knobs of one stack as fields. From knobs.def. */
#ifndef DEF_KNOB_H
#define DEF_KNOB_H

#include <stdint.h>

struct knobs {
#define KNOB(field, name, unit, preset, min, max, cite, doc) int64_t field;
#define KNOB2(field, name, unit, a, b, min, max, cite, doc) int64_t field[2];
#define KNOB3(field, name, unit, a, b, c, min, max, doc) int64_t field[3];
#define KNOB_TEXT(field, name, unit, cite, doc)
#include "def/knobs.def"
#undef KNOB
#undef KNOB2
#undef KNOB3
#undef KNOB_TEXT
};

#endif

/* The states of a connection, the timers and the events. From states.def, timers.def, events.def.
 */
#ifndef DEF_STATE_H
#define DEF_STATE_H

enum state {
#define STATE(name, text, number) name = number,
#include "def/states.def"
#undef STATE
};
#define STATE_COUNT 12 /* numbers are below this */

enum timer {
#define TIMER(name, text, doc) TIMER_##name,
#include "def/timers.def"
#undef TIMER
    TIMER_COUNT
};

enum event {
    EVENT_none,
#define EVENT(name, text) EVENT_##name,
#include "def/events.def"
#undef EVENT
    EVENT_END
};

#endif

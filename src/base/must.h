/* must(x): an assertion about ourselves, always on and cheap. Never about data from the wire. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define must(x) ((x) ? (void)0 : __builtin_trap())
#define MUST_USE __attribute__((warn_unused_result))
#define LIKELY(x) __builtin_expect(!!(x), 1)

#endif

/*
 * Knows:  the compiler and libc, on lwIP's behalf.
 * Shape:  the smallest that lwIP 2.1 accepts.
 * Units:  none.
 * Errors: none.
 * Cost:   byte order becomes one instruction instead of a call.
 */
#ifndef BENCH_LWIP_CC_H
#define BENCH_LWIP_CC_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define LWIP_TIMEVAL_PRIVATE 0
#define LWIP_RAND() ((u32_t)rand())
#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)

#endif

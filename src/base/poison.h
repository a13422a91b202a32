/* Marks memory that we hold but nobody may touch, so that AddressSanitizer finds late readers.
 *
 * Knows: the sanitizer. Cost: nothing in builds without it. */
#ifndef BASE_POISON_H
#define BASE_POISON_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_ON 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define POISON_ON 1
#endif

#ifdef POISON_ON
void __asan_poison_memory_region(void const volatile *p, unsigned long bytes);
void __asan_unpoison_memory_region(void const volatile *p, unsigned long bytes);
#define poison(p, bytes) __asan_poison_memory_region(p, bytes)
#define unpoison(p, bytes) __asan_unpoison_memory_region(p, bytes)
#else
#define poison(p, bytes) ((void)(p), (void)(bytes))
#define unpoison(p, bytes) ((void)(p), (void)(bytes))
#endif

#endif

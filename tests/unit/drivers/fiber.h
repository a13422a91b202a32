/* Fibers: calls that a test stops and resumes between any two of their steps, in one thread.
 *
 * Knows: ucontext, and that ASan wants to be told of each change of stacks. Shape: a fiber runs
 * from fiber_run to the next fiber_stop in it, or to its end. Units: bytes. Errors: a fiber that
 * ran out of stack faults. Cost: a microsecond a change. */
#ifndef TEST_DRIVERS_FIBER_H
#define TEST_DRIVERS_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <ucontext.h>

#define FIBER_STACK (256 * 1024)

struct fiber {
    ucontext_t inside, outside;
    void (*run)(void *arg);
    void *arg, *stack;
    void *fake, *fake_outside; /* what ASan keeps of either stack */
    const void *stack_outside;
    size_t size_outside;
    bool is_over;
};

/* Not there without ASan. */
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size)
    __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size)
    __attribute__((weak));

static struct fiber *fiber_now;

static inline void fiber_leave(void **fake, const void *to, size_t size)
{
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(fake, to, size);
}

static inline void fiber_arrive(void *fake, const void **from, size_t *size)
{
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(fake, from, size);
}

static inline void fiber_main(void)
{
    struct fiber *f = fiber_now;

    fiber_arrive(NULL, &f->stack_outside, &f->size_outside);
    f->run(f->arg);
    f->is_over = true;
    fiber_leave(NULL, f->stack_outside, f->size_outside);
    setcontext(&f->outside);
}

/* Lets it stand where it is, until the next fiber_run. */
static inline void fiber_stop(void)
{
    struct fiber *f = fiber_now;

    fiber_leave(&f->fake, f->stack_outside, f->size_outside);
    swapcontext(&f->inside, &f->outside);
    fiber_arrive(f->fake, &f->stack_outside, &f->size_outside);
}

static inline void fiber_run(struct fiber *f)
{
    fiber_now = f;
    fiber_leave(&f->fake_outside, f->stack, FIBER_STACK);
    swapcontext(&f->outside, &f->inside);
    fiber_arrive(f->fake_outside, NULL, NULL);
    fiber_now = NULL;
}

static inline void fiber_begin(struct fiber *f, void (*run)(void *arg), void *arg)
{
    *f = (struct fiber){.run = run, .arg = arg, .stack = malloc(FIBER_STACK)};
    getcontext(&f->inside);
    f->inside.uc_stack.ss_sp = f->stack;
    f->inside.uc_stack.ss_size = FIBER_STACK;
    makecontext(&f->inside, fiber_main, 0);
}

/* It is over, or never began. */
static inline void fiber_free(struct fiber *f)
{
    free(f->stack);
}

#endif

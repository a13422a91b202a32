/* The seccomp door: what a call came to after a signal had taken its caller away.
 *
 * Knows: that the kernel then begins the call anew, or says EINTR and the program does. Shape:
 * calls that can not be done twice are kept under their carrier's name, which is never another's;
 * the next such call on it gets that answer. Units: ms. Errors: none; what nobody fetches is let
 * go. Cost: nothing but there. */
#include "run/seccomp.h"

#include <time.h>
#include <unistd.h>

#define LOST_MAX 64
#define LOST_MS 2000

static struct lost {
    char id[48]; /* "": free */
    int number, fd;
    long result;
    int64_t until;
} lost[LOST_MAX];
static unsigned next, kept;

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void let_go(struct lost *l)
{
    if (!l->id[0])
        return;
    if (l->fd >= 0)
        close(l->fd);
    l->id[0] = '\0';
    kept--;
}

void lost_keep(const struct fd_id *id, int number, long result, int fd)
{
    struct lost *l = &lost[next++ % LOST_MAX];

    let_go(l);
    memcpy(l->id, id->id, sizeof l->id);
    l->number = number;
    l->result = result;
    l->fd = fd;
    l->until = now_ms() + LOST_MS;
    kept++;
}

bool lost_find(const struct fd_id *id, int number, long *result, int *fd)
{
    for (struct lost *l = lost; kept && l < lost + LOST_MAX; l++)
        if (l->number == number && strcmp(l->id, id->id) == 0) {
            *result = l->result;
            *fd = l->fd;
            l->fd = -1;
            let_go(l);
            return true;
        }
    return false;
}

bool lost_waits(const struct fd_id *id)
{
    for (struct lost *l = lost; kept && l < lost + LOST_MAX; l++)
        if (l->fd >= 0 && strcmp(l->id, id->id) == 0)
            return true;
    return false;
}

int lost_timeout(int other)
{
    int64_t now = now_ms();

    for (struct lost *l = lost; kept && l < lost + LOST_MAX; l++)
        if (l->id[0] && now >= l->until)
            let_go(l);
    return kept && (other < 0 || other > LOST_MS) ? LOST_MS : other;
}

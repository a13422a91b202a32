/* How members of a wire find each other: a folder of sockets, and the words that are said there.
 *
 * Knows: see wire_meet.h. Shape: a socket is bound under a hidden name, listens, and only then gets
 * its own: who finds it can connect. Files are reached through the folder's descriptor, so that no
 * path is too long and nobody can exchange the folder on the way.
 * Units: none. Errors: -errno. Cost: one connect for each member at joining. */
#include "drivers/wire_meet.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define VERSION 1
#define BACKLOG 128

static const char magic[8] = "weirwire";

/* -- the folder -------------------------------------------------------------------------------- */

static bool is_own(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == geteuid();
}

/* Under sudo the variable names another user's. */
static void own_path(char *path, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (runtime && *runtime == '/' && is_own(runtime))
        snprintf(path, size, "%s/weir", runtime);
    else
        snprintf(path, size, "/tmp/weir-%u", (unsigned)geteuid());
}

int meet_folder(const char *path, char *error, size_t error_size)
{
    char own[512];
    struct stat s;
    int fd;

    own_path(own, sizeof own);
    if (!path)
        path = own;
    (void)mkdir(path, 0700);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        snprintf(error, error_size,
                 "no folder %s for wires to meet in: %s: set XDG_RUNTIME_DIR to a folder of yours",
                 path, strerror(errno));
        return -EACCES;
    }
    if (fstat(fd, &s) == 0 && s.st_uid == geteuid() && !(s.st_mode & 077))
        return fd;
    snprintf(error, error_size,
             "others can reach %s, where wires meet: try `chmod 700 %s`, or set XDG_RUNTIME_DIR to "
             "a folder of yours",
             path, path);
    close(fd);
    return -EPERM;
}

bool meet_name_fits(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!isascii(name[i]) || (!isalnum((unsigned char)name[i]) && !strchr("-_", name[i])))
            return false;
    return n >= 1 && n <= MEET_NAME_MAX;
}

/* -- sockets in it ----------------------------------------------------------------------------- */

static struct sockaddr_un address_of(int folder, const char *file)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d/%.64s", folder, file);
    return un;
}

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

int meet_listen(int folder, const char *name, const uint8_t mac[6], char id[MEET_ID])
{
    char hidden[80], *file = hidden + 1;
    struct sockaddr_un un;
    uint16_t number;
    int v = 0, fd = new_socket();

    if (fd < 0)
        return fd;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        v = -EAGAIN;
    snprintf(id, MEET_ID, "%02x%02x%02x%02x%02x%02x%04x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5], number);
    snprintf(hidden, sizeof hidden, ".%s.%s", name, id);
    un = address_of(folder, hidden);
    if (v == 0 && (bind(fd, (struct sockaddr *)&un, sizeof un) < 0 || listen(fd, BACKLOG) < 0 ||
                   renameat(folder, hidden, folder, file) < 0))
        v = -errno;
    if (v == 0)
        return fd;
    unlinkat(folder, hidden, 0);
    close(fd);
    return v;
}

void meet_leave(int folder, const char *name, const char *id)
{
    char file[64];

    snprintf(file, sizeof file, "%s.%s", name, id);
    unlinkat(folder, file, 0);
}

static bool is_same_user(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

/* A connection, or -errno; a file that nobody listens at any more is removed. */
static int connect_to(int folder, const char *file)
{
    struct sockaddr_un un = address_of(folder, file);
    int v = 0, fd = new_socket();

    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&un, sizeof un) < 0)
        v = -errno;
    else if (!is_same_user(fd))
        v = -EPERM;
    if (v == -ECONNREFUSED)
        unlinkat(folder, file, 0);
    if (v == 0)
        return fd;
    close(fd);
    return v;
}

/* The id in a file's name, or NULL: it is no member of this wire. */
static const char *id_in(const char *file, const char *name)
{
    size_t n = strlen(name);

    if (strncmp(file, name, n) != 0 || file[n] != '.' || strlen(file + n + 1) != MEET_ID - 1)
        return NULL;
    return file + n + 1;
}

int meet_others(int folder, const char *name, const char *id,
                int (*found)(void *arg, int fd, const char *id), void *arg)
{
    int v = 0, again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *e;

    if (!d) {
        v = -errno;
        if (again >= 0)
            close(again);
        return v;
    }
    while (v >= 0 && (e = readdir(d))) {
        const char *other = id_in(e->d_name, name);
        int fd = other && strcmp(other, id) != 0 ? connect_to(folder, e->d_name) : -1;
        if (fd >= 0)
            v = found(arg, fd, other);
    }
    closedir(d);
    return v < 0 ? v : 0;
}

/* A descriptor in reserve: out of them, who waits at the listener could not even be sent away, and
 * the listener would be ready for ever. */
static int accept_in_need(int listener, int *reserve)
{
    close(*reserve);
    close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    *reserve = fcntl(listener, F_DUPFD_CLOEXEC, 0);
    return -EMFILE;
}

int meet_accept(int listener, int *reserve)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return accept_in_need(listener, reserve);
    if (fd < 0)
        return -EAGAIN;
    if (is_same_user(fd))
        return fd;
    close(fd);
    return -EPERM;
}

/* -- words ------------------------------------------------------------------------------------- */

struct meet_word meet_word(enum meet_kind kind)
{
    struct meet_word w;

    memset(&w, 0, sizeof w); /* padding, too: it is sent */
    memcpy(w.magic, magic, sizeof magic);
    w.version = VERSION;
    w.kind = kind;
    return w;
}

/* Room for one descriptor: what a peer sends beyond it the kernel closes. It has to be PASSED
 * bytes: with the padding behind them there would be room for two. */
#define PASSED CMSG_LEN(sizeof(int))
union passed {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

int meet_say(int fd, const struct meet_word *word, int memory)
{
    struct iovec part = {(void *)(uintptr_t)word, sizeof *word};
    union passed passed = {.bytes = {0}};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

    if (memory >= 0) {
        struct cmsghdr *c;
        m.msg_control = passed.bytes;
        m.msg_controllen = PASSED;
        c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){PASSED, SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(c), &memory, sizeof memory);
    }
    return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int descriptor_in(struct msghdr *m)
{
    struct cmsghdr *c = m->msg_controllen ? CMSG_FIRSTHDR(m) : NULL;
    int fd = -1;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == PASSED)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static enum meet_heard judge(struct meet_word *w, size_t n)
{
    if (n <= 1)
        return n ? HEARD_WAKE : HEARD_END;
    w->id[MEET_ID - 1] = '\0';
    if (n != sizeof *w || memcmp(w->magic, magic, sizeof magic) != 0 || w->version != VERSION)
        return HEARD_NONSENSE;
    return HEARD_WORD;
}

enum meet_heard meet_hear(int fd, struct meet_word *word, int *memory)
{
    struct iovec part = {.iov_len = sizeof *word};
    union passed passed = {.bytes = {0}};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    memset(word, 0, sizeof *word);
    part.iov_base = word;
    if (memory) {
        *memory = -1;
        m.msg_control = passed.bytes;
        m.msg_controllen = PASSED;
    }
    n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? HEARD_NOTHING : HEARD_END;
    if (memory)
        *memory = descriptor_in(&m);
    return judge(word, (size_t)n);
}

void meet_wake(int fd)
{
    (void)!send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* full: it is being woken already */
}

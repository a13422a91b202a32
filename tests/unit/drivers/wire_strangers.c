/* Strangers at the meeting point of a wire: who says nothing, nonsense, or too much, or is somebody
 * else. */
#include "wire_rogue.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* -- at the meeting point ---------------------------------------------------------------------- */

static void who_says_nothing_is_sent_away_in_time(void **state)
{
    struct weir_link *a = member();
    int fd = stranger_to(a), before = descriptors();

    (void)state;
    drain_at(a, NULL, 5 * SECOND);
    assert_int_equal(a->driver->deadline(a), 7 * SECOND);
    drain_at(a, NULL, 7 * SECOND - 1);
    assert_false(is_cut_off(fd));
    drain_at(a, NULL, 7 * SECOND);
    assert_true(is_cut_off(fd));
    assert_true(a->driver->deadline(a) == WEIR_NEVER);
    assert_int_equal(descriptors(), before);
    assert_int_equal(stats_of(a).refused, 1);
    close(fd);
    weir_link_close(a);
}

static void silent_strangers_do_not_keep_a_member_out(void **state)
{
    struct weir_link *a = member(), *b;
    int fd[40];

    (void)state;
    for (int i = 0; i < 40; i++) {
        fd[i] = stranger_to(a);
        drain_at(a, NULL, i);
    }
    for (int i = 0; i < 40; i++)
        assert_int_equal(is_cut_off(fd[i]), i < 40 - WIRE_GUESTS);
    b = member();
    drain_at(a, NULL, 50);
    assert_int_equal(stats_of(a).members, 1);
    for (int i = 0; i < 40; i++)
        close(fd[i]);
    weir_link_close(b);
    weir_link_close(a);
}

static void nonsense_is_refused(void **state)
{
    struct weir_link *a = member();
    struct meet_word word = hello_of("\2rogue"), old = word, welcome = meet_word(MEET_WELCOME);
    char noise[3000];
    struct {
        const void *bytes;
        size_t len;
    } said[] = {{"", 1},
                {noise, 40},
                {noise, sizeof word},
                {noise, sizeof noise},
                {&old, sizeof old},
                {&welcome, sizeof welcome},
                {&word, sizeof word - 1}};

    (void)state;
    memset(noise, 0x5a, sizeof noise);
    old.version = 99;
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        int fd = stranger_to(a);
        assert_true(send(fd, said[i].bytes, said[i].len, 0) > 0);
        drain(a, NULL);
        assert_int_equal(refusal(fd), MEET_VERSION);
        assert_true(is_cut_off(fd));
        close(fd);
    }
    assert_int_equal(stats_of(a).refused, COUNT_OF(said));
    assert_int_equal(stats_of(a).members, 0);
    weir_link_close(a);
}

static void memory_that_is_none_is_refused(void **state)
{
    struct weir_link *a = member();
    int before = descriptors();

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct meet_word hello = hello_of("\2rogue");
        int fd = stranger_to(a), memory = memfd_create("test", MFD_ALLOW_SEALING);
        assert_int_equal(ftruncate(memory, 4096 + 2 * (off_t)LANE_BYTES_MIN), 0);
        if (i != 1)
            fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        if (i == 2)
            hello.lane_bytes *= 2;
        if (i == 3)
            hello.lane_bytes = 1u << 31;
        assert_int_equal(meet_say(fd, &hello, i == 0 ? -1 : i == 4 ? fd : memory), 0);
        drain(a, NULL);
        assert_int_equal(refusal(fd), MEET_MEMORY);
        close(fd);
        close(memory);
    }
    assert_int_equal(stats_of(a).members, 0);
    assert_int_equal(descriptors(), before);
    weir_link_close(a);
}

/* Descriptors that nobody asked for are not kept: not a second one, and none later. */
static void a_member_cannot_be_stuffed_with_descriptors(void **state)
{
    struct weir_link *a = member();
    struct meet_word hello = hello_of("\2rogue");
    struct rogue r;
    int before, memory, both[2], fd = stranger_to(a);
    struct iovec part = {&hello, sizeof hello};
    union {
        char bytes[CMSG_SPACE(sizeof both)];
        struct cmsghdr align;
    } passed = {.bytes = {0}};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = passed.bytes,
                       .msg_controllen = sizeof passed.bytes};

    (void)state;
    before = descriptors();
    both[0] = both[1] = memory = memfd_create("test", MFD_ALLOW_SEALING);
    passed.align = (struct cmsghdr){CMSG_LEN(sizeof both), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&passed.align), both, sizeof both);
    assert_true(sendmsg(fd, &m, 0) > 0);
    drain(a, NULL);
    close(memory);
    assert_int_equal(descriptors(), before);
    close(fd);

    r = rogue_beside(a, "\2rogue");
    drain(a, NULL);
    before = descriptors();
    for (int i = 0; i < 10; i++)
        meet_say(r.fd, &hello, r.shared);
    drain(a, NULL);
    assert_int_equal(descriptors(), before - 1); /* it was cut off */
    assert_int_equal(stats_of(a).liars, 1);
    rogue_ends(&r);
    weir_link_close(a);
}

static void out_of_descriptors_nobody_waits_at_the_door(void **state)
{
    struct weir_link *a = member();
    struct rlimit limit, tight;
    int filler[64], n, fd = stranger_to(a);

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    tight = limit;
    tight.rlim_cur = COUNT_OF(filler);
    setrlimit(RLIMIT_NOFILE, &tight);
    for (n = 0; (filler[n] = dup(fd)) >= 0; n++)
        ;
    drain(a, NULL); /* ends: the listener does not stay ready */
    while (n > 0)
        close(filler[--n]);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_true(is_cut_off(fd));
    assert_int_equal(stats_of(a).refused, 1);
    close(fd);
    fd = stranger_to(a);
    drain(a, NULL);
    assert_false(is_cut_off(fd)); /* and with some free ones it is as before */
    close(fd);
    weir_link_close(a);
}

/* Both found each other at the same time: whose id is lower keeps its connection. */
static void of_two_connections_one_stays(void **state)
{
    static const char *const others[] = {"0000000000000000", "ffffffffffffffff"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct weir_link *a;
        struct meet_word hello = hello_of("\2rogue");
        struct wire_memory memory;
        char path[100], error[300], id[MEET_ID];
        int folder = meet_folder(wire_folder, error, sizeof error), fd, shared, incoming;
        int listener = meet_listen(folder, "lab", (const uint8_t *)"\2other", id);
        snprintf(path, sizeof path, "lab.%s", id);
        assert_int_equal(
            renameat(folder, path, folder, i ? "lab.ffffffffffffffff" : "lab.0000000000000000"), 0);
        a = member(); /* connects to the listener of this test */
        incoming = accept(listener, NULL, NULL);
        meet_leave(folder, "lab", others[i]);
        fd = stranger_to(a);
        memcpy(hello.id, others[i], MEET_ID);
        shared = wire_memory_make(&memory, LANE_BYTES_MIN);
        assert_int_equal(meet_say(fd, &hello, shared), 0);
        drain(a, NULL);
        assert_int_equal(stats_of(a).members, i ? 1 : 2);
        if (i)
            assert_int_equal(refusal(fd), MEET_TWICE);
        close(incoming); /* as the other one does, which has the same rule */
        drain(a, NULL);
        assert_int_equal(stats_of(a).members, i ? 0 : 1);
        assert_int_equal(stats_of(a).refused, 0);
        close(fd);
        close(shared);
        close(folder);
        close(listener);
        wire_memory_free(&memory);
        weir_link_close(a);
    }
}

struct birth {
    pthread_barrier_t *start;
    struct weir_link *link;
};

static void *be_born(void *arg)
{
    struct birth *b = arg;
    struct weir_wire_config c = {
        .name = "lab", .folder = wire_folder, .ring_bytes = LANE_BYTES_MIN};
    char error[300];

    pthread_barrier_wait(b->start);
    b->link = weir_wire_open(&c, error, sizeof error);
    return NULL;
}

/* Real ones, which may each find the other, or not yet: there is one connection in the end, and the
 * frames of both ways pass. */
static void who_comes_at_the_same_time_meets_once(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        pthread_barrier_t start;
        struct birth b[3] = {{&start, NULL}, {&start, NULL}, {&start, NULL}};
        struct weir_link *m[3];
        pthread_t thread[3];
        pthread_barrier_init(&start, NULL, 3);
        for (int i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, be_born, &b[i]), 0);
        for (int i = 0; i < 3; i++)
            pthread_join(thread[i], NULL);
        pthread_barrier_destroy(&start);
        for (int i = 0; i < 3; i++)
            m[i] = b[i].link;
        assert_true(m[0] && m[1] && m[2]);
        settle(m, 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(stats_of(m[i]).members, 2);
            assert_int_equal(stats_of(m[i]).refused, 0);
            say(m[i], EVERYBODY, 60, 1);
            assert_int_equal(drain(m[(i + 1) % 3], NULL), 1);
            assert_int_equal(drain(m[(i + 2) % 3], NULL), 1);
        }
        for (int i = 0; i < 3; i++)
            weir_link_close(m[i]);
    }
}

/* In a process of another user: 0 if it refused two that connected. */
static int be_another(int ready, int go)
{
    struct weir_link *a;
    char byte;

    if (setgid(65534) < 0 || setuid(65534) < 0)
        return 1;
    a = member();
    if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 1)
        return 2;
    drain(a, NULL);
    return stats_of(a).refused == 2 && stats_of(a).members == 0 ? 0 : 3;
}

/* A connection past all that a member looks at first. */
static int connect_anyhow(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    DIR *d = opendir(wire_folder);

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (strncmp(e->d_name, "lab.", 4) == 0)
            snprintf(un.sun_path, sizeof un.sun_path, "%.60s/%.40s", wire_folder, e->d_name);
    closedir(d);
    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

/* Root passes the folder's permissions, and is another user all the same. */
static void another_user_is_refused(void **state)
{
    int status, ends[2][2], fd;
    struct weir_link *b;
    char byte;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(pipe(ends[0]), 0);
    assert_int_equal(pipe(ends[1]), 0);
    assert_int_equal(chown(wire_folder, 65534, 65534), 0);
    pid = fork();
    if (pid == 0)
        _exit(be_another(ends[0][1], ends[1][0]));
    assert_int_equal(read(ends[0][0], &byte, 1), 1);
    assert_int_equal(chown(wire_folder, 0, 0), 0); /* or we would refuse the folder */
    b = member();
    assert_int_equal(stats_of(b).members, 0); /* it refuses the other one, */
    weir_link_close(b);
    fd = connect_anyhow();
    assert_int_equal(write(ends[1][1], "", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0); /* and is refused by it */
    close(fd);
    for (int i = 0; i < 4; i++)
        close(ends[i / 2][i % 2]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_says_nothing_is_sent_away_in_time),
        TEST(silent_strangers_do_not_keep_a_member_out),
        TEST(nonsense_is_refused),
        TEST(memory_that_is_none_is_refused),
        TEST(a_member_cannot_be_stuffed_with_descriptors),
        TEST(out_of_descriptors_nobody_waits_at_the_door),
        TEST(of_two_connections_one_stays),
        TEST(who_comes_at_the_same_time_meets_once),
        TEST(another_user_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_strangers", tests, NULL, NULL);
}

/* A wire: members find each other, frames go where a switch would send them, nothing is lost or
 * left behind when members come and go. */
#include "wire_folder.h"

#include <signal.h>
#include <sys/wait.h>

static void a_frame_crosses_and_wakes(void **state)
{
    struct weir_link *m[] = {member(), member()};
    struct weir_frame got;

    (void)state;
    settle(m, 2);
    assert_int_equal(stats_of(m[0]).members, 1);
    assert_int_equal(stats_of(m[1]).members, 1);
    for (int i = 0; i < 2; i++) {
        assert_false(polls(m[i]));
        assert_true(m[i]->driver->deadline(m[i]) == WEIR_NEVER);
    }
    say(m[0], m[1]->iface.mac, 100, 7);
    assert_true(polls(m[1]));
    assert_false(polls(m[0]));
    assert_int_equal(drain(m[1], &got), 1);
    assert_int_equal(got.part[0].len, 100);
    assert_memory_equal(got.part[0].data, m[1]->iface.mac, 6);
    assert_memory_equal(got.part[0].data + 6, m[0]->iface.mac, 6);
    assert_int_equal(got.part[0].data[99], 7);
    assert_false(polls(m[1])); /* the waking was heard */
    say(m[1], m[0]->iface.mac, 60, 8);
    assert_true(polls(m[0]));
    assert_int_equal(drain(m[0], &got), 1);
    for (int i = 0; i < 2; i++)
        weir_link_close(m[i]);
}

static void the_interface_is_an_ethernet_with_offloads(void **state)
{
    struct weir_link *a = member(), *b = member_with((struct weir_wire_config){.no_offload = true});
    struct weir_link *c = member_with((struct weir_wire_config){.mtu = 9000, .mac = "\2mac__"});

    (void)state;
    assert_memory_equal(c->iface.mac, "\2mac__", 6);
    assert_string_equal(a->iface.name, "lab");
    assert_int_equal(a->iface.type, WEIR_LINK_ETHER);
    assert_int_equal(a->iface.mtu, 1500);
    assert_int_equal(a->iface.gso_max, 65535);
    assert_int_equal(a->iface.flags, WEIR_IF_CSUM_TX);
    assert_int_equal(a->iface.mac[0] & 3, 2);
    assert_memory_not_equal(a->iface.mac, b->iface.mac, 6);
    assert_int_equal(b->iface.gso_max, 0);
    assert_int_equal(b->iface.flags, 0);
    assert_int_equal(c->iface.mtu, 9000);
    weir_link_close(a);
    weir_link_close(b);
    weir_link_close(c);
}

static void frames_go_where_a_switch_sends_them(void **state)
{
    static const uint8_t behind_2[6] = {2, 0xaa, 0xbb, 0xcc, 0xdd, 0xee};
    struct weir_link *m[] = {member(), member(), member()};
    uint8_t bytes[60];
    struct weir_frame f;

    (void)state;
    settle(m, 3);
    say(m[0], EVERYBODY, 60, 1);
    assert_int_equal(drain(m[1], NULL), 1);
    assert_int_equal(drain(m[2], NULL), 1);
    say(m[0], m[1]->iface.mac, 60, 2); /* known from its welcome, before it ever spoke */
    assert_int_equal(drain(m[1], NULL), 1);
    assert_int_equal(drain(m[2], NULL), 0);
    say(m[0], behind_2, 60, 3); /* nobody knows */
    assert_int_equal(drain(m[1], NULL), 1);
    assert_int_equal(drain(m[2], NULL), 1);
    assert_int_equal(stats_of(m[0]).flooded, 2);
    f = frame_to(bytes, sizeof bytes, EVERYBODY, behind_2, 4);
    m[2]->driver->send(m[2], &f, 1, 0); /* a member may have other stations behind it */
    settle(m, 3);
    say(m[0], behind_2, 60, 5);
    assert_int_equal(drain(m[1], NULL), 0);
    assert_int_equal(drain(m[2], NULL), 1);
    weir_link_close(m[2]);
    settle(m, 2);
    say(m[0], behind_2, 60, 6); /* forgotten with the member */
    assert_int_equal(drain(m[1], NULL), 1);
    weir_link_close(m[0]);
    weir_link_close(m[1]);
}

static void wires_of_other_names_are_apart(void **state)
{
    struct weir_link *m[] = {member(), member_with((struct weir_wire_config){.name = "la"}),
                             member_with((struct weir_wire_config){.name = "lab2"})};

    (void)state;
    settle(m, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stats_of(m[i]).members, 0);
        weir_link_close(m[i]);
    }
}

static void a_superframe_crosses_whole(void **state)
{
    static uint8_t bytes[LANE_FRAME_MAX];
    struct weir_link *m[] = {member(), member()};
    struct weir_frame f, got;

    (void)state;
    settle(m, 2);
    f = frame_to(bytes, LANE_FRAME_MAX, m[1]->iface.mac, m[0]->iface.mac, 9);
    f.flags = WEIR_CSUM_PARTIAL;
    f.csum_start = 34;
    f.csum_offset = 16;
    f.gso_size = 1448;
    m[0]->driver->send(m[0], &f, 1, 0);
    assert_int_equal(drain(m[1], &got), 1);
    assert_int_equal(got.part[0].len, LANE_FRAME_MAX);
    assert_int_equal(got.gso_size, 1448);
    assert_int_equal(got.flags, WEIR_CSUM_PARTIAL);
    weir_link_close(m[0]);
    weir_link_close(m[1]);
}

/* Whoever came first. Before it has heard who the other is, a member sends plain frames, too. */
static void who_takes_no_superframes_gets_segments(void **state)
{
    static uint8_t bytes[14 + 40 + 5000];
    struct weir_frame burst[WEIR_BURST_MAX], f;

    (void)state;
    for (int plain_is = 0; plain_is < 2; plain_is++) {
        struct weir_link *m[2];
        int n;
        m[0] = member_with((struct weir_wire_config){.no_offload = plain_is == 0});
        m[1] = member_with((struct weir_wire_config){.no_offload = plain_is == 1});
        settle(m, 2);
        f = frame_to(bytes, 14, m[plain_is]->iface.mac, m[!plain_is]->iface.mac, 0);
        bytes[12] = 8;
        f.part[0].len = 14 + build_tcp4(bytes + 14, 5000);
        f.flags = WEIR_CSUM_PARTIAL;
        f.csum_start = 34;
        f.csum_offset = 16;
        f.gso_size = 1448;
        m[!plain_is]->driver->send(m[!plain_is], &f, 1, 0);
        n = m[plain_is]->driver->recv(m[plain_is], burst, WEIR_BURST_MAX, 0);
        assert_int_equal(n, 4);
        for (int i = 0; i < n; i++) {
            assert_int_equal(burst[i].flags, 0);
            assert_int_equal(burst[i].gso_size, 0);
            assert_int_equal(burst[i].part[0].len, 54 + (i < 3 ? 1448 : 5000 - 3 * 1448));
            assert_true(tcp4_is_sound(burst[i].part[0].data + 14, burst[i].part[0].len - 14));
        }
        weir_link_close(m[0]);
        weir_link_close(m[1]);
    }
}

static void the_first_frame_may_come_before_any_welcome(void **state)
{
    struct weir_link *first = member(), *second = member();

    (void)state;
    say(second, first->iface.mac, 60, 1);
    say(second, EVERYBODY, 60, 2);
    assert_true(polls(first));
    assert_int_equal(drain(first, NULL), 2);
    assert_int_equal(stats_of(second).flooded, 2);
    weir_link_close(first);
    weir_link_close(second);
}

static void a_frame_longer_than_the_mtu_is_dropped(void **state)
{
    struct weir_link *m[] = {member(), member_with((struct weir_wire_config){.mtu = 9000})};

    (void)state;
    settle(m, 2);
    say(m[1], m[0]->iface.mac, 1514, 1);
    say(m[1], m[0]->iface.mac, 1515, 2);
    assert_int_equal(drain(m[0], NULL), 1);
    assert_int_equal(stats_of(m[0]).bad_frames, 1);
    say(m[0], m[1]->iface.mac, 9014, 3);
    assert_int_equal(drain(m[1], NULL), 1);
    weir_link_close(m[0]);
    weir_link_close(m[1]);
}

static void who_does_not_read_loses_its_own_frames_only(void **state)
{
    struct weir_link *m[] = {member(), member(), member()};
    struct weir_link_loss loss[WEIR_LOSSES_MAX];
    int sent = 0;

    (void)state;
    settle(m, 3);
    for (; sent < 500; sent++) {
        say(m[0], EVERYBODY, 1514, 1);
        assert_int_equal(drain(m[1], NULL), 1);
    }
    assert_int_equal(stats_of(m[0]).ring_full, 500 - LANE_BYTES_MIN / (1520 + 16));
    assert_int_equal(drain(m[2], NULL), LANE_BYTES_MIN / (1520 + 16));
    assert_int_equal(weir_link_losses(m[0], loss, WEIR_LOSSES_MAX), 2);
    assert_string_equal(loss[0].why, "ring_full");
    assert_int_equal(loss[0].frames, stats_of(m[0]).ring_full);
    say(m[0], EVERYBODY, 60, 2);
    assert_int_equal(drain(m[1], NULL), 1);
    assert_int_equal(drain(m[2], NULL), 1);
    for (int i = 0; i < 3; i++)
        weir_link_close(m[i]);
}

/* A burst is a share of each, however much they send. */
static void members_take_turns(void **state)
{
    struct weir_link *m[] = {member(), member(), member()};
    struct weir_frame burst[WEIR_BURST_MAX];

    (void)state;
    settle(m, 3);
    for (int i = 0; i < 200; i++) {
        say(m[1], m[0]->iface.mac, 60, 1);
        say(m[2], m[0]->iface.mac, 60, 2);
    }
    for (int round = 0; round < 5; round++) {
        int of_2 = 0, n = m[0]->driver->recv(m[0], burst, WEIR_BURST_MAX, 0);
        assert_int_equal(n, WEIR_BURST_MAX);
        for (int i = 0; i < n; i++)
            of_2 += burst[i].part[0].data[14] == 2;
        assert_int_equal(of_2, WEIR_BURST_MAX / 2);
    }
    for (int i = 0; i < 3; i++)
        weir_link_close(m[i]);
}

static void what_a_member_sent_before_it_left_arrives(void **state)
{
    struct weir_link *m[] = {member(), member(), member()};
    int before;

    (void)state;
    settle(m, 3);
    before = descriptors();
    for (int i = 0; i < 1500; i++) /* more than is taken before the sockets are looked at */
        say(m[1], m[0]->iface.mac, 60, 1);
    weir_link_close(m[1]);
    assert_true(polls(m[0]));
    assert_int_equal(drain(m[0], NULL), 1500);
    assert_int_equal(stats_of(m[0]).members, 1);
    say(m[2], EVERYBODY, 60, 3); /* the others go on, */
    assert_int_equal(drain(m[0], NULL), 1);
    assert_int_equal(drain(m[2], NULL), 0);
    assert_int_equal(stats_of(m[2]).members, 1);
    m[1] = member(); /* and it may come back */
    settle(m, 3);
    assert_int_equal(descriptors(), before);
    say(m[0], m[1]->iface.mac, 60, 4);
    assert_int_equal(drain(m[1], NULL), 1);
    for (int i = 0; i < 3; i++)
        weir_link_close(m[i]);
    assert_int_equal(files_there(), 0);
}

/* In a process of its own, which is killed. */
static void killed_member(void)
{
    pid_t pid = fork();
    int status;

    if (pid != 0) {
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        return;
    }
    member();
    kill(getpid(), SIGKILL);
}

static void the_file_of_a_killed_member_is_removed(void **state)
{
    struct weir_link *a, *b;

    (void)state;
    killed_member();
    assert_int_equal(files_there(), 1);
    a = member();
    assert_int_equal(files_there(), 1); /* a's own */
    killed_member();
    b = member();
    assert_int_equal(files_there(), 2);
    drain(a, NULL);
    assert_int_equal(stats_of(a).members, 1);
    weir_link_close(a);
    weir_link_close(b);
    assert_int_equal(files_there(), 0);
}

static void a_wire_that_is_full_says_so(void **state)
{
    struct weir_wire_config two = {.members_max = 2, .name = "lab", .folder = wire_folder};
    struct weir_link *m[3] = {member_with(two), member_with(two), NULL};
    char error[300] = "";
    int before = descriptors();

    (void)state;
    assert_null(weir_wire_open(&two, error, sizeof error));
    assert_non_null(strstr(error, "wire lab is full, it has 2 members"));
    assert_int_equal(descriptors(), before);
    assert_int_equal(files_there(), 2);
    settle(m, 2);
    m[2] = member(); /* has room itself, and is refused by both */
    settle(m, 3);
    assert_int_equal(stats_of(m[2]).members, 0);
    assert_int_equal(stats_of(m[2]).refused, 2);
    assert_int_equal(stats_of(m[0]).members, 1);
    assert_int_equal(stats_of(m[0]).refused, 2); /* the one of before had connected, too */
    say(m[0], m[1]->iface.mac, 60, 1);
    assert_int_equal(drain(m[1], NULL), 1);
    for (int i = 0; i < 3; i++)
        weir_link_close(m[i]);
}

static void two_members_have_two_macs(void **state)
{
    struct weir_wire_config c = {.name = "lab", .folder = wire_folder, .mac = "\2mac__"};
    struct weir_link *a = member_with(c);
    char error[300] = "";
    int before = descriptors();

    (void)state;
    assert_null(weir_wire_open(&c, error, sizeof error));
    assert_non_null(strstr(error, "wire lab has a member with this address already (MAC "
                                  "026d61635f5f): choose another --ip"));
    assert_int_equal(descriptors(), before);
    drain(a, NULL);
    weir_link_close(a);
    weir_link_close(member_with(c)); /* once that one is gone */
}

static void mistakes_say_what_is_meant(void **state)
{
    static const struct {
        struct weir_wire_config c;
        const char *says;
    } wrong[] = {
        {{.name = ""}, "1 to 15 letters"},
        {{.name = NULL}, "1 to 15 letters"},
        {{.name = "a/b"}, "1 to 15 letters"},
        {{.name = "a.b"}, "1 to 15 letters"},
        {{.name = "sixteen-letters-"}, "1 to 15 letters"},
        {{.name = "a", .ring_bytes = 100000}, "power of two"},
        {{.name = "a", .ring_bytes = 65536}, "power of two"},
        {{.name = "a", .members_max = 1}, "2 to 1,024"},
        {{.name = "a", .members_max = 1025}, "2 to 1,024"},
        {{.name = "a", .mtu = 67}, "68 to 65,535"},
        {{.name = "a", .mtu = 65536}, "68 to 65,535"},
        {{.name = "a", .mac = {1, 2}}, "no group's"},
        {{.name = "a", .folder = "/proc/self/none"}, "set XDG_RUNTIME_DIR"},
        {{.name = "a", .folder = "/"}, "chmod 700"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char error[300] = "";
        assert_null(weir_wire_open(&wrong[i].c, error, sizeof error));
        if (!strstr(error, wrong[i].says))
            fail_msg("%zu: %s", i, error);
    }
}

static void the_folder_is_the_users_own(void **state)
{
    char link_to[80], error[300] = "";
    struct weir_wire_config c = {.name = "lab", .folder = wire_folder};

    (void)state;
    assert_int_equal(chmod(wire_folder, 0770), 0);
    assert_null(weir_wire_open(&c, error, sizeof error));
    assert_non_null(strstr(error, "others can reach"));
    assert_int_equal(chmod(wire_folder, 0700), 0);
    snprintf(link_to, sizeof link_to, "%s.link", wire_folder);
    assert_int_equal(symlink(wire_folder, link_to), 0);
    c.folder = link_to;
    assert_null(weir_wire_open(&c, error, sizeof error));
    unlink(link_to);
    assert_int_equal(files_there(), 0);
}

static void the_folder_is_made_where_the_user_has_one(void **state)
{
    struct weir_wire_config c = {.name = "lab"};
    char error[300] = "", path[100];
    struct weir_link *link;
    struct stat s;

    (void)state;
    setenv("XDG_RUNTIME_DIR", wire_folder, 1);
    link = weir_wire_open(&c, error, sizeof error);
    unsetenv("XDG_RUNTIME_DIR");
    assert_non_null(link);
    snprintf(path, sizeof path, "%s/weir", wire_folder);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
    weir_link_close(link);
    assert_int_equal(rmdir(path), 0); /* it is empty again */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_crosses_and_wakes),
        TEST(the_interface_is_an_ethernet_with_offloads),
        TEST(frames_go_where_a_switch_sends_them),
        TEST(wires_of_other_names_are_apart),
        TEST(a_superframe_crosses_whole),
        TEST(who_takes_no_superframes_gets_segments),
        TEST(the_first_frame_may_come_before_any_welcome),
        TEST(a_frame_longer_than_the_mtu_is_dropped),
        TEST(who_does_not_read_loses_its_own_frames_only),
        TEST(members_take_turns),
        TEST(what_a_member_sent_before_it_left_arrives),
        TEST(the_file_of_a_killed_member_is_removed),
        TEST(a_wire_that_is_full_says_so),
        TEST(two_members_have_two_macs),
        TEST(mistakes_say_what_is_meant),
        TEST(the_folder_is_the_users_own),
        TEST(the_folder_is_made_where_the_user_has_one),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}

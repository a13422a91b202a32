/* MLD: which groups of IPv6 routers hear of and when, and in which version. 3810, 2710, 3590. */
#include "support/mld.h"

TEST(joining_and_leaving_are_told_twice) /* REQ:4861-7.2.1-3 */
{
    struct heard h;
    struct ether s;
    int sock;

    open_link(&s, &h);
    sock = open_udp(&s);
    assert_int_equal(group_opt(&s, sock, IPV6_JOIN_GROUP, GROUP), 0);
    told_twice(&s, &h, "143 to ff02::16: 4 ff05::5");
    assert_int_equal(group_opt(&s, sock, IPV6_LEAVE_GROUP, GROUP), 0);
    told_twice(&s, &h, "143 to ff02::16: 3 ff05::5");
    ether_close(&s);
}

TEST(some_groups_are_never_told)
{
    static const char *const groups[] = {ALL_NODES, "ff01::5", "ff11::7", "ff00::5"};
    struct heard h;
    struct ether s;
    int sock;

    open_link(&s, &h);
    sock = open_udp(&s);
    for (int i = 0; i < 4; i++)
        assert_int_equal(group_opt(&s, sock, IPV6_JOIN_GROUP, groups[i]), 0);
    quiet(&s, &h, 10 * SECOND);
    put_query(&s, .code = 1000);
    ether_run(&s, SECOND);
    told(&h, "143 to ff02::16: 2 ff02::1:ff00:11");
    weir_close(s.stack[0], sock);
    quiet(&s, &h, 10 * SECOND);
    ether_close(&s);
}

/* The group of solicitations comes with the first address that has it, and goes with the last.
 * REQ:4861-7.2.1-2 REQ:4861-7.2.1-3 */
TEST(groups_of_addresses_are_told)
{
    struct weir_addr two = ether_addr("fd00::11"), last = ether_addr(US6);
    struct heard h;
    struct ether s;

    open_link(&s, &h);
    assert_int_equal(h.n, 2);
    assert_string_equal(h.message[0].text, "143 to ff02::16: 4 ff02::1:ff00:11");
    add(&s, 0, "fd00::11");
    quiet(&s, &h, 10 * SECOND);
    assert_int_equal(weir_addr_remove(s.stack[0], 1, &two), 0);
    quiet(&s, &h, 10 * SECOND);
    add(&s, 0, "fd00::12");
    told_twice(&s, &h, "143 to ff02::16: 4 ff02::1:ff00:12");
    assert_int_equal(weir_addr_remove(s.stack[0], 1, &last), 0);
    told_twice(&s, &h, "143 to ff02::16: 3 ff02::1:ff00:11");
    ether_close(&s);
}

/* Who joins such a group by hand keeps it when the address goes. */
TEST(a_socket_keeps_the_group_of_an_address)
{
    struct weir_addr two = ether_addr("fd00::12");
    struct heard h;
    struct ether s;
    int sock;

    open_link(&s, &h);
    add(&s, 0, "fd00::12");
    sock = open_udp(&s);
    assert_int_equal(group_opt(&s, sock, IPV6_JOIN_GROUP, "ff02::1:ff00:12"), 0);
    told_twice(&s, &h, "143 to ff02::16: 4 ff02::1:ff00:12");
    assert_int_equal(weir_addr_remove(s.stack[0], 1, &two), 0);
    quiet(&s, &h, 10 * SECOND);
    assert_int_equal(group_opt(&s, sock, IPV6_LEAVE_GROUP, "ff02::1:ff00:12"), 0);
    told_twice(&s, &h, "143 to ff02::16: 3 ff02::1:ff00:12");
    ether_close(&s);
}

/* Before an address is asked for its group is joined, from nobody; and again once there is a
 * link-local address, for routers did not hear the first. 3590#4 REQ:4862-5.4.2-1 */
TEST(the_group_is_joined_before_the_address_is_asked_for)
{
    struct heard h = {.n = 0};
    struct ether s;
    struct message *first, *second;

    ether_open(&s, 1);
    s.on_frame = hear;
    s.user = &h;
    assert_int_equal(weir_ip6_start(s.stack[0], 1), 0);
    ether_run(&s, 10 * SECOND);
    first = next(&h);
    assert_non_null(first);
    assert_int_equal(h.told_before, 1);
    assert_true(first->at_ns <= h.first_solicitation_ns);
    assert_true(h.first_solicitation_ns > 1000000000); /* after its random delay */
    assert_true(first->at_ns > 1000000000);
    assert_true(weir_addr_is_any(&first->src));
    for (second = first; second && weir_addr_is_any(&second->src);)
        second = next(&h);
    assert_non_null(second);
    assert_string_equal(second->text, first->text);
    assert_true(ip6_is_link_local(&second->src));
    ether_close(&s);
}

TEST(queries_are_answered_within_their_time)
{
    struct heard h;
    struct ether s;
    struct message *e;
    int64_t began, least = INT64_MAX, most = 0;

    open_member(&s, &h);
    for (int i = 0; i < 20; i++) {
        began = s.now_ns;
        put_query(&s, .code = 2000);
        ether_run(&s, 2 * SECOND);
        e = next(&h);
        assert_non_null(e);
        assert_string_equal(e->text, "143 to ff02::16: 2 ff05::5; 2 ff02::1:ff00:11");
        least = e->at_ns - began < least ? e->at_ns - began : least;
        most = e->at_ns - began > most ? e->at_ns - began : most;
        quiet(&s, &h, 0);
    }
    assert_in_range(least, 0, 300000000); /* twenty instants of two seconds */
    assert_in_range(most, 1700000000, 2000000000);
    put_query(&s, .group = GROUP, .code = 100);
    ether_run(&s, SECOND / 10);
    told(&h, "143 to ff02::16: 2 ff05::5");
    put_query(&s, .group = OTHER, .code = 100);
    quiet(&s, &h, 10 * SECOND);
    began = s.now_ns;
    put_query(&s, .code = 0x8800); /* (0x800 | 0x1000) << 3: 49,152 ms */
    ether_run(&s, 50 * SECOND);
    e = next(&h);
    assert_in_range(e->at_ns - began, 0, 49152000000);
    ether_close(&s);
}

TEST(a_change_is_told_as_often_as_the_querier_says)
{
    struct heard h;
    struct ether s;
    int sock;

    open_link(&s, &h);
    sock = open_udp(&s);
    put_query(&s, .group = OTHER, .robustness = 5, .is_to_all = true);
    group_opt(&s, sock, IPV6_JOIN_GROUP, GROUP);
    ether_run(&s, 10 * SECOND);
    for (int i = 0; i < 5; i++)
        told(&h, "143 to ff02::16: 4 ff05::5");
    quiet(&s, &h, 0);
    ether_close(&s);
}

TEST(a_querier_of_version_1_is_spoken_to_in_version_1)
{
    struct heard h;
    struct ether s;
    int sock;

    sock = open_member(&s, &h);
    put_query(&s, .group = GROUP, .code = 1000, .is_v1 = true);
    ether_run(&s, SECOND);
    told(&h, "131 to ff05::5: ff05::5");
    put_query(&s, .group = GROUP, .code = 1000, .is_v1 = true); /* another member is faster */
    put_message(&s, &(struct from_router){.type = ICMP6_MLD_REPORT, .group = GROUP, .is_v1 = true});
    quiet(&s, &h, SECOND);
    source_opt(&s, sock, MCAST_BLOCK_SOURCE, "fd00::77"); /* it has no word for this */
    quiet(&s, &h, 10 * SECOND);
    group_opt(&s, sock, IPV6_LEAVE_GROUP, GROUP);
    ether_run(&s, 0);
    told(&h, "132 to ff02::2: ff05::5");
    quiet(&s, &h, 10 * SECOND);
    group_opt(&s, sock, IPV6_JOIN_GROUP, GROUP);
    told_twice(&s, &h, "131 to ff05::5: ff05::5");
    ether_run(&s, 260 * SECOND); /* it is gone: 3810#9.12 */
    group_opt(&s, sock, IPV6_LEAVE_GROUP, GROUP);
    told_twice(&s, &h, "143 to ff02::16: 3 ff05::5");
    ether_close(&s);
}

/* 3810#8.2.1: what was still to come when the querier of the old version spoke is void. */
TEST(what_was_to_be_told_in_another_version_is_void)
{
    struct heard h;
    struct ether s;
    int sock;

    open_link(&s, &h);
    sock = open_udp(&s);
    group_opt(&s, sock, IPV6_JOIN_GROUP, GROUP);
    ether_run(&s, 0);
    told(&h, "143 to ff02::16: 4 ff05::5");
    put_query(&s, .group = OTHER, .code = 1000, .is_v1 = true, .is_to_all = true);
    quiet(&s, &h, 100 * SECOND);
    ether_close(&s);
}

TEST(what_no_router_of_the_link_said_is_dropped)
{
    static const struct from_router wrong[] = {
        {.hops = 2},
        {.hops = 255},
        {.src = "fd00::99"},
        {.src = "::"},
        {.has_no_alert = true},
        {.len = 23},
        {.len = 26},
        {.len = 43, .source = {"fd00::1"}},
        {.group = "fd00::1", .is_to_all = true},
    };
    struct heard h;
    struct ether s;

    open_member(&s, &h);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct from_router q = wrong[i];
        uint64_t before = s.stack[0]->drops[DROP_igmp_invalid - DROP_FIRST];

        q.type = ICMP6_MLD_QUERY;
        q.code = 100;
        put_message(&s, &q);
        assert_int_equal(s.stack[0]->drops[DROP_igmp_invalid - DROP_FIRST], before + 1);
        quiet(&s, &h, SECOND);
    }
    ether_close(&s);
}

int main(void)
{
    return peer_tests_run("mld");
}

/* Groups from some senders only: what routers hear of them, and who gets what. 3810, 3678. */
#include "support/mld.h"

TEST(changed_sources_are_told_and_nothing_else)
{
    struct heard h;
    struct ether s;
    int one, two;

    open_link(&s, &h);
    one = open_udp(&s);
    two = open_udp(&s);
    assert_int_equal(source_opt(&s, one, MCAST_JOIN_SOURCE_GROUP, "fd00::a"), 0);
    told_twice(&s, &h, "143 to ff02::16: 5 ff05::5 fd00::a");
    assert_int_equal(source_opt(&s, two, MCAST_JOIN_SOURCE_GROUP, "fd00::b"), 0);
    told_twice(&s, &h, "143 to ff02::16: 5 ff05::5 fd00::b");
    assert_int_equal(source_opt(&s, two, MCAST_JOIN_SOURCE_GROUP, "fd00::a"), 0);
    quiet(&s, &h, 10 * SECOND);
    assert_int_equal(source_opt(&s, one, MCAST_LEAVE_SOURCE_GROUP, "fd00::a"), 0);
    quiet(&s, &h, 10 * SECOND); /* the other wants it still */
    assert_int_equal(source_opt(&s, two, MCAST_LEAVE_SOURCE_GROUP, "fd00::b"), 0);
    told_twice(&s, &h, "143 to ff02::16: 6 ff05::5 fd00::b");
    assert_int_equal(group_opt(&s, one, IPV6_JOIN_GROUP, GROUP), 0);
    told_twice(&s, &h, "143 to ff02::16: 4 ff05::5");
    assert_int_equal(source_opt(&s, one, MCAST_BLOCK_SOURCE, "fd00::a"), 0);
    quiet(&s, &h, 10 * SECOND); /* the other wants it */
    assert_int_equal(source_opt(&s, one, MCAST_BLOCK_SOURCE, "fd00::c"), 0);
    told_twice(&s, &h, "143 to ff02::16: 6 ff05::5 fd00::c");
    assert_int_equal(source_opt(&s, one, MCAST_UNBLOCK_SOURCE, "fd00::c"), 0);
    told_twice(&s, &h, "143 to ff02::16: 5 ff05::5 fd00::c");
    weir_close(s.stack[0], one);
    told_twice(&s, &h, "143 to ff02::16: 3 ff05::5 fd00::a");
    weir_close(s.stack[0], two);
    told_twice(&s, &h, "143 to ff02::16: 6 ff05::5 fd00::a");
    ether_close(&s);
}

TEST(queries_about_sources_are_answered_for_what_is_wanted)
{
    struct heard h;
    struct ether s;
    int sock;

    open_link(&s, &h);
    sock = open_udp(&s);
    source_opt(&s, sock, MCAST_JOIN_SOURCE_GROUP, "fd00::a");
    source_opt(&s, sock, MCAST_JOIN_SOURCE_GROUP, "fd00::b");
    ether_run(&s, 10 * SECOND);
    h.at = h.n;
    put_query(&s, .group = GROUP, .code = 500, .source = {"fd00::b", "fd00::c"});
    ether_run(&s, SECOND);
    told(&h, "143 to ff02::16: 1 ff05::5 fd00::b");
    put_query(&s, .group = GROUP, .code = 500, .source = {"fd00::c"});
    quiet(&s, &h, SECOND);
    put_query(&s, .group = GROUP, .code = 500, .source = {"fd00::a"});
    put_query(&s, .group = GROUP, .code = 500); /* all of it: one answer */
    ether_run(&s, SECOND);
    told(&h, "143 to ff02::16: 1 ff05::5 fd00::a fd00::b");
    quiet(&s, &h, SECOND);
    weir_close(s.stack[0], sock);
    sock = open_udp(&s);
    group_opt(&s, sock, IPV6_JOIN_GROUP, GROUP);
    source_opt(&s, sock, MCAST_BLOCK_SOURCE, "fd00::a");
    ether_run(&s, 10 * SECOND);
    h.at = h.n;
    put_query(&s, .group = GROUP, .code = 500, .source = {"fd00::a", "fd00::b"});
    ether_run(&s, SECOND);
    told(&h, "143 to ff02::16: 1 ff05::5 fd00::b");
    put_query(&s, .group = GROUP, .code = 500);
    ether_run(&s, SECOND);
    told(&h, "143 to ff02::16: 2 ff05::5 fd00::a");
    ether_close(&s);
}

static int receive(struct ether *s, int sock)
{
    char text[100];

    return (int)weir_recv(s->stack[0], sock, text, sizeof text, 0);
}

static void put_udp(struct ether *s, const char *from)
{
    struct weir_addr src = ether_addr(from), dst = ether_addr(GROUP);
    uint8_t frame[100] = {0x33, 0x33, 0, 0, 0, 5, 2, 0, 0, 0, 0, 9, 0x86, 0xdd};
    uint8_t *u = frame + ETH_LEN + IP6_LEN;
    struct ip6 h = {.next = PROTO_UDP, .hop_limit = 1, .payload_len = 9, .src = src, .dst = dst};
    uint16_t sum;

    ip6_emit(frame + ETH_LEN, &h);
    put16(u, 7);
    put16(u + 2, 500);
    put16(u + 4, 9);
    sum = sum_finish(sum_add(pseudo_sum(&src, &dst, PROTO_UDP, 9), u, 9));
    memcpy(u + 6, &sum, sizeof sum);
    ether_put(s, frame, ETH_LEN + IP6_LEN + 9);
}

TEST(each_socket_hears_its_own_sources)
{
    struct heard h;
    struct ether s;
    int only_a, but_a, all;

    open_link(&s, &h);
    only_a = open_udp(&s);
    but_a = open_udp(&s);
    all = open_udp(&s);
    source_opt(&s, only_a, MCAST_JOIN_SOURCE_GROUP, "fd00::a");
    group_opt(&s, but_a, IPV6_JOIN_GROUP, GROUP);
    source_opt(&s, but_a, MCAST_BLOCK_SOURCE, "fd00::a");
    put_udp(&s, "fd00::a");
    assert_int_equal(receive(&s, only_a), 1);
    assert_int_equal(receive(&s, but_a), -EAGAIN);
    assert_int_equal(receive(&s, all), 1); /* it joined nothing and refused nothing: Linux */
    put_udp(&s, "fd00::b");
    assert_int_equal(receive(&s, only_a), -EAGAIN);
    assert_int_equal(receive(&s, but_a), 1);
    ether_close(&s);
}

/* The filter as setsourcefilter has it: `sources` are separated by blanks. */
struct whole {
    struct group_filter f;
    struct sockaddr_storage more[11];
};

static struct sockaddr_storage *list_of(struct whole *w)
{
    return (void *)((char *)w + GROUP_FILTER_SIZE(0));
}

static struct whole whole_of(uint32_t mode, const char *sources)
{
    struct whole w = {.f = {.gf_interface = 1, .gf_fmode = mode}};
    char copy[300], *rest = copy, *word;

    snprintf(copy, sizeof copy, "%s", sources);
    put_sockaddr(&w.f.gf_group, GROUP);
    while ((word = strsep(&rest, " ")) && *word)
        put_sockaddr(list_of(&w) + w.f.gf_numsrc++, word);
    return w;
}

static int set_whole(struct ether *s, int sock, uint32_t mode, const char *sources)
{
    struct whole w = whole_of(mode, sources);

    return weir_setsockopt(s->stack[0], sock, IPPROTO_IPV6, MCAST_MSFILTER, &w,
                           GROUP_FILTER_SIZE(w.f.gf_numsrc));
}

/* "in fd00::a fd00::b", or the error; with room for so many sources. */
static const char *get_whole(struct ether *s, int sock, uint32_t room)
{
    static char text[300];
    struct whole w = whole_of(9, "");
    size_t len = GROUP_FILTER_SIZE(room), at;
    char name[WEIR_ADDR_TEXT];
    struct weir_addr a;
    int v;

    w.f.gf_numsrc = room;
    v = weir_getsockopt(s->stack[0], sock, IPPROTO_IPV6, MCAST_MSFILTER, &w, &len);
    if (v < 0)
        at = (size_t)snprintf(text, sizeof text, "%s", strerror(-v));
    else
        at = (size_t)snprintf(text, sizeof text, "%s %u",
                              w.f.gf_fmode == MCAST_INCLUDE ? "in" : "ex", w.f.gf_numsrc);
    for (size_t i = 0; v == 0 && i < (len - GROUP_FILTER_SIZE(0)) / sizeof w.f.gf_slist; i++) {
        assert_int_equal(list_of(&w)[i].ss_family, AF_INET6);
        memcpy(&a, (char *)&list_of(&w)[i] + 8, sizeof a);
        at += (size_t)snprintf(text + at, sizeof text - at, " %s", weir_addr_text(&a, name));
    }
    return text;
}

TEST(a_whole_filter_is_told_by_what_it_changes)
{
    struct heard h;
    struct ether s;
    int sock;

    open_link(&s, &h);
    sock = open_udp(&s);
    assert_string_equal(get_whole(&s, sock, 10), strerror(EADDRNOTAVAIL));
    assert_int_equal(group_opt(&s, sock, IPV6_JOIN_GROUP, GROUP), 0);
    told_twice(&s, &h, "143 to ff02::16: 4 ff05::5");
    assert_string_equal(get_whole(&s, sock, 10), "ex 0");
    assert_int_equal(set_whole(&s, sock, MCAST_INCLUDE, "fd00::a fd00::b fd00::a"), 0);
    told_twice(&s, &h, "143 to ff02::16: 3 ff05::5 fd00::a fd00::b");
    assert_string_equal(get_whole(&s, sock, 10), "in 2 fd00::a fd00::b");
    assert_string_equal(get_whole(&s, sock, 1), "in 2 fd00::a"); /* how many there are */
    assert_string_equal(get_whole(&s, sock, 0), "in 2");
    put_udp(&s, "fd00::a");
    assert_int_equal(receive(&s, sock), 1);
    put_udp(&s, "fd00::c");
    assert_int_equal(receive(&s, sock), -EAGAIN);
    assert_int_equal(set_whole(&s, sock, MCAST_INCLUDE, "fd00::b fd00::c"), 0);
    told_twice(&s, &h, "143 to ff02::16: 5 ff05::5 fd00::c; 6 ff05::5 fd00::a");
    assert_int_equal(set_whole(&s, sock, MCAST_EXCLUDE, "fd00::a"), 0);
    told_twice(&s, &h, "143 to ff02::16: 4 ff05::5 fd00::a");
    assert_string_equal(get_whole(&s, sock, 10), "ex 1 fd00::a");
    assert_int_equal(set_whole(&s, sock, MCAST_INCLUDE, ""), 0); /* to leave */
    told_twice(&s, &h, "143 to ff02::16: 3 ff05::5");
    assert_string_equal(get_whole(&s, sock, 10), strerror(EADDRNOTAVAIL));
    ether_close(&s);
}

TEST(mistakes_with_whole_filters_are_refused_as_by_linux)
{
    const char *eleven = "fd00::1 fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7 fd00::8 fd00::9 "
                         "fd00::10 fd00::11";
    struct whole w = whole_of(MCAST_INCLUDE, "fd00::a");
    size_t len = GROUP_FILTER_SIZE(0) - 1;
    struct heard h;
    struct ether s;
    int sock, tcp;

    open_link(&s, &h);
    sock = open_udp(&s);
    tcp = weir_socket(s.stack[0], AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(set_whole(&s, sock, MCAST_INCLUDE, "fd00::a"), -EINVAL); /* not joined */
    assert_int_equal(set_whole(&s, sock, MCAST_INCLUDE, ""), -EADDRNOTAVAIL);
    assert_int_equal(set_whole(&s, tcp, MCAST_INCLUDE, "fd00::a"), -EPROTO);
    assert_string_equal(get_whole(&s, tcp, 1), strerror(EADDRNOTAVAIL));
    assert_int_equal(group_opt(&s, sock, IPV6_JOIN_GROUP, GROUP), 0);
    assert_int_equal(set_whole(&s, sock, 7, "fd00::a"), -EINVAL);
    assert_int_equal(set_whole(&s, sock, MCAST_EXCLUDE, eleven), -ENOBUFS);
    assert_int_equal(weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_MSFILTER, &w,
                                     GROUP_FILTER_SIZE(1) - 1),
                     -EINVAL);
    assert_int_equal(weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_MSFILTER, &w, len),
                     -EINVAL);
    assert_int_equal(weir_getsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_MSFILTER, &w, &len),
                     -EINVAL);
    w.f.gf_interface = 9;
    assert_int_equal(
        weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_MSFILTER, &w, GROUP_FILTER_SIZE(1)),
        -ENODEV);
    assert_string_equal(get_whole(&s, sock, 10), "ex 0"); /* nothing of it was taken */
    ether_close(&s);
}

TEST(mistakes_with_sources_are_refused_as_by_linux)
{
    struct group_req g = {.gr_interface = 1};
    struct heard h;
    struct ether s;
    int sock, tcp;

    open_link(&s, &h);
    sock = open_udp(&s);
    tcp = weir_socket(s.stack[0], AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(source_opt(&s, tcp, MCAST_JOIN_SOURCE_GROUP, "fd00::a"), -EPROTO);
    assert_int_equal(source_opt(&s, sock, MCAST_BLOCK_SOURCE, "fd00::a"), -EINVAL);
    assert_int_equal(source_opt(&s, sock, MCAST_LEAVE_SOURCE_GROUP, "fd00::a"), -EADDRNOTAVAIL);
    assert_int_equal(source_opt(&s, sock, MCAST_JOIN_SOURCE_GROUP, "fd00::a"), 0);
    assert_int_equal(source_opt(&s, sock, MCAST_JOIN_SOURCE_GROUP, "fd00::a"), -EADDRNOTAVAIL);
    assert_int_equal(source_opt(&s, sock, MCAST_BLOCK_SOURCE, "fd00::b"), -EINVAL);
    for (int i = 1; i < 10; i++) {
        char text[20];
        snprintf(text, sizeof text, "fd00::%d", i);
        assert_int_equal(source_opt(&s, sock, MCAST_JOIN_SOURCE_GROUP, text), 0);
    }
    assert_int_equal(source_opt(&s, sock, MCAST_JOIN_SOURCE_GROUP, "fd00::99"), -ENOBUFS);
    put_sockaddr(&g.gr_group, OTHER);
    assert_int_equal(
        weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof g), 0);
    assert_int_equal(
        weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof g),
        -EADDRINUSE);
    assert_int_equal(
        weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_LEAVE_GROUP, &g, sizeof g), 0);
    assert_int_equal(weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, 9),
                     -EINVAL);
    g.gr_interface = 9;
    assert_int_equal(
        weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof g), -ENODEV);
    put_sockaddr(&g.gr_group, "fd00::1");
    assert_int_equal(
        weir_setsockopt(s.stack[0], sock, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof g), -EINVAL);
    ether_close(&s);
}

int main(void)
{
    return peer_tests_run("mld_sources");
}

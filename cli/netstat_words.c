/* What `weir netstat -s` says: sections and sentences as net-tools' netstat has them.
 *
 * Knows: which counter is said by which sentence. Shape: one table in the order of the lines; a
 * counter without a sentence is "Name: value", as there. Those of Ip, Icmp, Tcp and Udp are said
 * even when they are 0. Units: events. Errors: none. Cost: O(counters^2), a few thousand steps. */
#include <stdio.h>
#include <string.h>

#include <weir/weir.h>

#include "cli/counters.h"

struct sentence {
    const char *name;  /* the counter, or NULL: a heading */
    bool is_always;    /* even when it is 0 */
    const char *words; /* one %llu */
};

static const struct sentence sentences[] = {
    {"IpInReceives", true, "%llu total packets received"},
    {"IpInHdrErrors", false, "%llu with invalid headers"},
    {"IpInAddrErrors", false, "%llu with invalid addresses"},
    {"IpForwDatagrams", true, "%llu forwarded"},
    {"IpInUnknownProtos", false, "%llu with unknown protocol"},
    {"IpInDelivers", true, "%llu incoming packets delivered"},
    {"IpOutRequests", true, "%llu requests sent out"},
    {"IpOutDiscards", false, "%llu outgoing packets dropped"},
    {"IpOutNoRoutes", false, "%llu dropped because of missing route"},
    {"IpReasmTimeout", false, "%llu fragments dropped after timeout"},
    {"IpReasmTimeout", false, "%llu fragments dropped after timeout"},
    {"IpReasmReqds", false, "%llu reassemblies required"},
    {"IpReasmOKs", false, "%llu packets reassembled ok"},
    {"IpReasmOKs", false, "%llu packets reassembled ok"},
    {"IpReasmFails", false, "%llu packet reassemblies failed"},
    {"IpFragOKs", false, "%llu fragments received ok"},
    {"IpFragFails", false, "%llu fragments failed"},
    {"IpFragCreates", false, "%llu fragments created"},
    {"IpFragOKs", false, "%llu fragments received ok"},
    {"IpFragFails", false, "%llu fragments failed"},
    {"IpFragCreates", false, "%llu fragments created"},
    {"IcmpInMsgs", true, "%llu ICMP messages received"},
    {"IcmpInErrors", true, "%llu input ICMP message failed"},
    {NULL, false, "ICMP input histogram:"},
    {"IcmpInDestUnreachs", false, "    destination unreachable: %llu"},
    {"IcmpInTimeExcds", false, "    timeout in transit: %llu"},
    {"IcmpInEchos", false, "    echo requests: %llu"},
    {"IcmpInEchoReps", false, "    echo replies: %llu"},
    {"IcmpOutMsgs", true, "%llu ICMP messages sent"},
    {NULL, false, "ICMP output histogram:"},
    {"IcmpOutDestUnreachs", false, "    destination unreachable: %llu"},
    {"IcmpOutTimeExcds", false, "    time exceeded: %llu"},
    {"IcmpOutEchos", false, "    echo requests: %llu"},
    {"IcmpOutEchoReps", false, "    echo replies: %llu"},
    {"TcpActiveOpens", true, "%llu active connection openings"},
    {"TcpPassiveOpens", true, "%llu passive connection openings"},
    {"TcpAttemptFails", true, "%llu failed connection attempts"},
    {"TcpEstabResets", true, "%llu connection resets received"},
    {"TcpCurrEstab", true, "%llu connections established"},
    {"TcpInSegs", true, "%llu segments received"},
    {"TcpOutSegs", true, "%llu segments sent out"},
    {"TcpRetransSegs", true, "%llu segments retransmitted"},
    {"TcpInErrs", true, "%llu bad segments received"},
    {"TcpOutRsts", true, "%llu resets sent"},
    {"UdpInDatagrams", true, "%llu packets received"},
    {"UdpNoPorts", true, "%llu packets to unknown port received"},
    {"UdpInErrors", true, "%llu packet receive errors"},
    {"UdpOutDatagrams", true, "%llu packets sent"},
    {"UdpRcvbufErrors", true, "%llu receive buffer errors"},
    {"TcpExtSyncookiesSent", false, "%llu SYN cookies sent"},
    {"TcpExtSyncookiesRecv", false, "%llu SYN cookies received"},
    {"TcpExtSyncookiesFailed", false, "%llu invalid SYN cookies received"},
    {"TcpExtTW", false, "%llu TCP sockets finished time wait in fast timer"},
    {"TcpExtTWRecycled", false, "%llu time wait sockets recycled by time stamp"},
    {"TcpExtPAWSEstab", false,
     "%llu packets rejected in established connections because of timestamp"},
    {"TcpExtDelayedACKs", false, "%llu delayed acks sent"},
    {"TcpExtDelayedACKLost", false, "Quick ack mode was activated %llu times"},
    {"TcpExtListenOverflows", false, "%llu times the listen queue of a socket overflowed"},
    {"TcpExtListenDrops", false, "%llu SYNs to LISTEN sockets dropped"},
    {"TcpExtTCPPureAcks", false, "%llu acknowledgments not containing data payload received"},
    {"TcpExtTCPRenoRecovery", false,
     "%llu times recovered from packet loss due to fast retransmit"},
    {"TcpExtTCPSACKReneging", false, "%llu bad SACK blocks received"},
    {"TcpExtTCPFastRetrans", false, "%llu fast retransmits"},
    {"TcpExtTCPSlowStartRetrans", false, "%llu retransmits in slow start"},
    {"TcpExtTCPAbortOnData", false, "%llu connections reset due to unexpected data"},
    {"TcpExtTCPAbortOnClose", false, "%llu connections reset due to early user close"},
    {"TcpExtTCPAbortOnMemory", false, "%llu connections aborted due to memory pressure"},
    {"TcpExtTCPAbortOnTimeout", false, "%llu connections aborted due to timeout"},
    {"TcpExtTCPAbortOnLinger", false,
     "%llu connections aborted after user close in linger timeout"},
};
#define SENTENCES ((int)(sizeof sentences / sizeof sentences[0]))

static const char *const sections[] = {"Ip", "Icmp", "Tcp", "Udp", "TcpExt", "IpExt"};
#define SECTIONS ((int)(sizeof sections / sizeof sections[0]))

/* "TcpExtTW" is in TcpExt, not in Tcp: the longest name decides. */
static int section_of(const char *name)
{
    int found = -1;
    size_t longest = 0;

    for (int i = 0; i < SECTIONS; i++) {
        size_t n = strlen(sections[i]);
        if (strncmp(name, sections[i], n) == 0 && n > longest) {
            longest = n;
            found = i;
        }
    }
    return found;
}

static const struct counter *find(const struct counters *c, const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (!c->at[i].is_drop && strcmp(c->at[i].name, name) == 0)
            return &c->at[i];
    return NULL;
}

static bool is_said(const char *name)
{
    for (int i = 0; i < SENTENCES; i++)
        if (sentences[i].name && strcmp(sentences[i].name, name) == 0)
            return true;
    return false;
}

/* A heading is said only if something under it is: the lines that are indented more. */
static bool has_lines(const struct counters *c, int heading)
{
    for (int i = heading + 1; i < SENTENCES && sentences[i].words[0] == ' '; i++) {
        const struct counter *k = sentences[i].name ? find(c, sentences[i].name) : NULL;
        if (k && k->value)
            return true;
    }
    return false;
}

static void say(const struct sentence *s, unsigned long long value)
{
    const char *number = strstr(s->words, "%llu");

    printf("    %.*s%llu%s\n", (int)(number - s->words), s->words, value, number + 4);
}

static void print_section(const struct counters *c, int section)
{
    size_t prefix = strlen(sections[section]);
    int here = -1; /* the section of the sentence before: headings follow it */

    printf("%s:\n", sections[section]);
    for (int i = 0; i < SENTENCES; i++) {
        const struct sentence *s = &sentences[i];
        const struct counter *k = s->name ? find(c, s->name) : NULL;
        here = s->name ? section_of(s->name) : here;
        if (here != section)
            continue;
        if (!s->name && has_lines(c, i))
            printf("    %s\n", s->words);
        if (k && (k->value || s->is_always))
            say(s, k->value);
    }
    for (int i = 0; i < c->n; i++) {
        const struct counter *k = &c->at[i];
        if (!k->is_drop && k->value && section_of(k->name) == section && !is_said(k->name))
            printf("    %s: %llu\n", k->name + prefix, k->value);
    }
}

static const char *doc_of(const char *drop)
{
    for (int i = 0; i < weir_drop_count(); i++)
        if (strcmp(weir_drop_name(i), drop) == 0)
            return weir_drop_doc(i);
    return "";
}

void counters_print_sentences(const struct counters *c)
{
    bool is_first = true;

    for (int i = 0; i < SECTIONS; i++)
        print_section(c, i);
    for (int i = 0; i < c->n; i++) {
        const struct counter *k = &c->at[i];
        if (!k->is_drop || !k->value)
            continue;
        if (is_first)
            puts("Dropped:");
        is_first = false;
        printf("    %-24s %12llu  %s\n", k->name, k->value, doc_of(k->name));
    }
}

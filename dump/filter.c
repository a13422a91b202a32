/* Expressions, compiled by libpcap for the link types that come.
 *
 * Knows: libpcap. Shape: see filter.h. Units: bytes. Errors: libpcap's message. Cost:
 * O(instructions) a packet. */
#include "dump/filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS 8
#define SNAPLEN 262144
#define LINKTYPE_RAW 101

struct filter {
    char *text;
    struct {
        int link;
        struct bpf_program program;
    } of[LINKS];
    int links;
};

/* Link types of files are not everywhere libpcap's own numbers. */
static int dlt_of(uint16_t link)
{
    return link == LINKTYPE_RAW || link == 228 || link == 229 ? DLT_RAW : link;
}

static const struct bpf_program *program_for(struct filter *f, uint16_t link, char *error,
                                             size_t error_size)
{
    pcap_t *p;
    int i = 0;

    while (i < f->links && f->of[i].link != link)
        i++;
    if (i < f->links)
        return &f->of[i].program;
    if (i == LINKS)
        return NULL;
    p = pcap_open_dead(dlt_of(link), SNAPLEN);
    if (!p)
        return NULL;
    if (pcap_compile(p, &f->of[i].program, f->text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        snprintf(error, error_size, "%s", pcap_geterr(p));
        pcap_close(p);
        return NULL;
    }
    pcap_close(p);
    f->of[i].link = link;
    f->links = i + 1;
    return &f->of[i].program;
}

static char *joined(char *const *words, int n)
{
    size_t size = 1;
    char *text;

    for (int i = 0; i < n; i++)
        size += strlen(words[i]) + 1;
    text = calloc(1, size);
    for (int i = 0; text && i < n; i++) {
        strcat(text, i ? " " : "");
        strcat(text, words[i]);
    }
    return text;
}

struct filter *filter_open(char *const *words, int n, char *error, size_t error_size)
{
    struct filter *f = calloc(1, sizeof *f);

    snprintf(error, error_size, "no memory");
    if (!f || !(f->text = joined(words, n)) || !program_for(f, DLT_EN10MB, error, error_size)) {
        filter_close(f);
        return NULL;
    }
    return f;
}

bool filter_takes(struct filter *f, const struct packet *p)
{
    char error[PCAP_ERRBUF_SIZE];
    const struct bpf_program *program = program_for(f, p->link, error, sizeof error);
    struct pcap_pkthdr h = {.caplen = p->len, .len = p->wire_len};

    return program && pcap_offline_filter(program, &h, p->data) > 0;
}

void filter_close(struct filter *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->links; i++)
        pcap_freecode(&f->of[i].program);
    free(f->text);
    free(f);
}

/*
 * Knows:  that this lwIP was compiled with our own options.
 * Shape:  the counterpart of support/lwip_package.c.
 * Units:  none.
 * Errors: --stock is refused: there is no distribution's build here.
 * Cost:   none.
 */
#include "../bench.h"
#include "../support/lwip_port.h"

void lwip_linked_init(bool stock)
{
    if (stock)
        bench_die("built from source: there is no stock library to measure");
}

const char *lwip_linked_name(void)
{
    return "source";
}

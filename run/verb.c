/* weir run: read the options, then do it.
 *
 * Knows: options.c and launch.c. Shape: two calls. Units: none. Errors: the exit status.
 * Cost: none. */
#include "run/daemon.h"
#include "run/run.h"

int run_verb(int argc, char **argv)
{
    static struct run_options o;
    int status = options_parse(&o, argc, argv);

    return status ? status : run_main(&o);
}

/* weir run: see run/options.c for its words and run/launch.c for what it does.
 *
 * Knows: run's door. Shape: one call. Units: none. Errors: exit status, as run/launch.c says.
 * Cost: none. */
#include "cli/cli.h"

int cmd_run(int argc, char **argv)
{
    return run_verb(argc, argv);
}

/* weir run: see run/options.c for its words and run/launch.c for what it does. */
#include "cli/cli.h"
#include "run/daemon.h"

int cmd_run(int argc, char **argv)
{
    static struct run_options o;
    int v = options_parse(&o, argc, argv);

    return v ? v : run_main(&o);
}

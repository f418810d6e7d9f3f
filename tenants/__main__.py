"""`python -m tenants`."""

import gc

from cli.tenants import main

gc.disable()  # the process ends before there is garbage worth a look: a fifth of the time of a check
main()

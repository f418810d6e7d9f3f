"""`python -m devtools`: the same as `tenantry stack`."""

from cli.stack import main

main()

"""`python -m tenants`: the same as `tenantry tenants`."""

from cli.tenants import main

main()

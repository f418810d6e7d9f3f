"""`python -m tenants`."""

from tenants.cli import main

main()

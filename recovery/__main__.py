"""`python -m recovery`: the same as `tenantry recover`."""

from cli.recover import main

main()

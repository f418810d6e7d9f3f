"""`python -m sandbox`: the same as `tenantry sandbox`."""

from cli.sandbox.app import main

if __name__ == "__main__":
    main()

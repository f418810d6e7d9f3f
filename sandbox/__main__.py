"""`python -m sandbox COMMAND`: the same as `tenantry sandbox COMMAND`."""

import sys

from cli.sandbox.app import main

if __name__ == "__main__":
    sys.exit(main())

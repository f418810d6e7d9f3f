"""Two ways in: for people (`tenantry policy`), and for the engine, which runs the folder as a pack."""

import sys
from pathlib import Path

if __package__:
    from cli.policy import main

    main()
else:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from policies.pack import run

    run()

"""Entry points of the guardrails: `python -m policies` for people, and the policy pack for the engine."""

import sys
from pathlib import Path

if __package__:
    from cli.policy import main

    main()
else:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from policies.pack import run

    run()

"""Components of the account baseline: logs, detectors, boundaries of roles."""

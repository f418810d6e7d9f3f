"""Plan of the public API: where it is served, and the limits of each client."""

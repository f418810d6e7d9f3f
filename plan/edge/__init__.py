"""The API: where it is served, and how much of it a client may use."""

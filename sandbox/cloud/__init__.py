"""The contents of the local cloud, in SQLite."""

"""Field encryption: what services write, and who else reads it."""

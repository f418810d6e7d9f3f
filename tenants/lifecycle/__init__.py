"""A tenant's life: its phases, the transitions between them, and what follows from each."""

"""Everything that is one tenant's, and the functions that work on tenants."""

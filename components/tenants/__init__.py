"""Components of a tenant, and of the functions that work on tenants."""

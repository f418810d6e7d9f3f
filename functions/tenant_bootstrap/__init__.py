"""The Lambda that creates a tenant's role and schema, protects both, and disables the login again."""

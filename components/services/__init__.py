"""The monolith, the report service, and what they stand on."""

"""The tenants of each stack: registries, ledgers, and everything that checks and edits them."""

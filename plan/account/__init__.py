"""The account that a cell stands in: baseline, and the roles that deploy."""

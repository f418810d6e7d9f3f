"""Plan of the account that a cell is in: baseline, and the roles that deploy."""

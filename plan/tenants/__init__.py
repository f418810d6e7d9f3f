"""The plan of each tenant: placement, keys, names, offboarding."""

"""What each tenant gets: placement, keys, names, offboarding."""

"""Components of the public API."""

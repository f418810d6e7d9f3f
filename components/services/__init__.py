"""Components of the monolith and the report service, and of what both need."""

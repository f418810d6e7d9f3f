"""Components for databases and their backups."""

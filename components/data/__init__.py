"""Databases and their backups."""

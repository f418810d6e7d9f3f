"""Databases, their alarms and backups."""

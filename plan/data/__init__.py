"""Plans of databases, their alarms and their backups."""

"""Plans of the dashboard, and the names of alarms."""

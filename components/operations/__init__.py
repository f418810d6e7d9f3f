"""The component of the dashboard."""

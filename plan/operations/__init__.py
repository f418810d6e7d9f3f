"""What shows how a cell is: dashboard and alarm names."""

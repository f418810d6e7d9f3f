"""The two services of a cell, their certificates and traces."""

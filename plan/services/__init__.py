"""Plans of the two services of a cell, their certificates and traces."""

"""The Lambda that hands over a leaving tenant's data, erases it, and certifies that it is gone."""

"""The Lambda that exports a leaving tenant's data, erases it, and certifies the destruction."""

"""Well-kept sources of what AWS accepts, read when `rules.json` is made and never when the sandbox runs."""

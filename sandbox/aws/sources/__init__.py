"""Well-kept sources of what AWS accepts, read to make `input_rules.json`, never at run time."""

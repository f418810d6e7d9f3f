"""Public sources of what AWS accepts, read to generate `input_rules.json`, never at run time."""

"""The command line: what people type, and how results are printed. Logic lives in the other rooms."""

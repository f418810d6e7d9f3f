"""The command line `tenantry`: arguments, options and output. Logic lives in the other packages."""

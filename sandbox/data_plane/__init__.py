"""The data plane: PostgreSQL servers, Lambda functions, and AWS's APIs on a loopback endpoint.

The control plane (`sandbox/aws`) says what exists; the data plane is what one can log in to, call and read.
"""

"""The data plane: databases that run, functions that run, and AWS's APIs on a loopback endpoint.

The control plane (`sandbox/aws`) says what exists; here is what one can log in to, call and read.
"""

"""AWS's APIs on a loopback endpoint, as far as the platform's code uses them, with IAM enforced."""

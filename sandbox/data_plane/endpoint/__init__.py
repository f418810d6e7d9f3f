"""AWS's APIs on a loopback endpoint, as far as the platform's own code uses them; IAM is enforced here."""

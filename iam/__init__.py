"""IAM policy documents: built, parsed, evaluated."""

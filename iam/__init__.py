"""IAM policy documents: made, parsed, judged."""

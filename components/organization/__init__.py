"""Components of the organization: accounts, policies, delegated administrators."""

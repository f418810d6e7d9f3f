"""The organization: accounts, policies, delegated administrators."""

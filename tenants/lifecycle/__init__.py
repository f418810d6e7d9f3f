"""The tenant lifecycle: what a transition changes, and which edits are refused."""

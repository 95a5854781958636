"""Pages and routes for one's own account: getting in, passwords, profile."""

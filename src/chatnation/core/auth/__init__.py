"""Who gets in: tenants, projects, users, keys, logins, and what roles may do."""

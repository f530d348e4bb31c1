"""People and what signs them in: accounts, sessions, tokens, guests, roles and permissions, the audit trail."""

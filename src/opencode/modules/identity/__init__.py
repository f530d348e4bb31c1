"""Who people are: accounts, sign-in, sessions, tokens, roles and permissions, and the trail of security events."""

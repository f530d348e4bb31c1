"""What AI configuration and the gateway do for people."""

"""AI configuration and gateway."""

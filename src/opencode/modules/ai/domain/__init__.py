"""Rules of AI configuration and of the gateway, without I/O."""

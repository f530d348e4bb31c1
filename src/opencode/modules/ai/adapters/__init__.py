"""How AI configuration and the gateway reach files and providers."""

"""What people and other modules do with runs."""

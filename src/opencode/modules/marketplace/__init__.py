"""The marketplace: code projects that people publish, find, trust and follow."""

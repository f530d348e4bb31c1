"""The use cases: one public method is one thing that somebody can do."""

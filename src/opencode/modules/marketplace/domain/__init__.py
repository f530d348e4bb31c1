"""The rules of the marketplace, pure: projects, the words that they are found by, and what a search is."""

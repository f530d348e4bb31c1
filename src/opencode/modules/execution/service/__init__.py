"""The use cases of running programs, a file for each story."""

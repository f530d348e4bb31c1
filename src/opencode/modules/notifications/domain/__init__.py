"""The rules of telling people things, pure."""

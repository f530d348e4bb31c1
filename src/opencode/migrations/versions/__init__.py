"""Revisions, numbered in the order in which they apply."""

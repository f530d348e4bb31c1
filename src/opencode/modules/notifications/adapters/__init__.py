"""Programs and services outside us."""

"""Measurements of the running product beside its peers; README.md tells the method."""

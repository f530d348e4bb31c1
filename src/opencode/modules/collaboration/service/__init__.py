"""Rooms in memory, group commit, tickets, and the `Documents` contract."""

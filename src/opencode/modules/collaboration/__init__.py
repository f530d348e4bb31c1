"""Shared documents: rooms, presence, the sync protocol and the update log. Has never heard of interviews."""

"""OpenCode: one self-hosted platform for people who work on code together."""

__version__ = "0.1.0"

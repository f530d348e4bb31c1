"""The rules of shared documents, pure: bytes and calls in, bytes and calls out."""

"""Logs as events with fields, and metrics for Prometheus."""

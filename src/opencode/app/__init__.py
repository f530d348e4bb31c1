"""Composition: the only place that knows every module. Commands, settings, wiring, the HTTP application."""

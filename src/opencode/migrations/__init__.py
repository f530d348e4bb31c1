"""The one chain of schema changes of the whole platform; `opencode.app.migrate` runs it."""

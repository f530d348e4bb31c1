"""What Alembic runs: the chain, on the connection and in the transaction that `opencode.app.migrate` hands over."""

from alembic import context

from opencode.infra.db import metadata

context.configure(
    connection=context.config.attributes["connection"],
    # Only its names for constraints are used: migrations say themselves what to make.
    target_metadata=metadata,
)
context.run_migrations()

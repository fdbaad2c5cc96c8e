"""Migration safety check: apply new migrations to a PostgreSQL that the previous release uses."""

"""Which jobs a change needs, and whether what was planned went well."""

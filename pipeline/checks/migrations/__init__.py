"""Whether a database can take the new migrations while the release before is serving."""

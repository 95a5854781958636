"""From the stream to the tables: enrich, resolve, store, project."""

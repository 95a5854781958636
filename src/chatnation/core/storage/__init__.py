"""The database: its two doors, its tables, its history and its partitions."""

"""What can be asked of events: the query model, how answers are computed, and the engine on PostgreSQL."""

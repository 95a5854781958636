"""Work done later: a thin face over pgqueuer."""

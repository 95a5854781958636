"""Who is who: the ids that lead to a person, the evidence that joins them, and what follows from it."""

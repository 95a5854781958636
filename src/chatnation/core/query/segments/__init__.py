"""A columnar copy of events and of what is made of them, from which questions are answered."""

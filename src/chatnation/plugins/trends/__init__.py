"""How sessions, conversions, people and the length of visits develop over time."""

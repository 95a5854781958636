"""How many journeys people finish by themselves, give up, or finish with an agent, and where they ask for one."""

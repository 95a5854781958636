"""Every question once more, in plain Python over plain events: what evaluators and pages are held to.

Obvious, slow, and written apart from what it checks: it shares the classes of questions and answers with the engine,
and nothing else. A module for each kind has `recount(query, events, now)`, for questions in the words of `reduction`.
"""

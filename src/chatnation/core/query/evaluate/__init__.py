"""Answers computed from frames, one module a kind of question. No database in here: an oracle in tests checks each."""

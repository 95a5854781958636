"""Believable months of a tax authority, made up: who came, from where, what they did, and where they gave up.

Nobody in it exists. The same seed gives the same days, down to the message ids, so that sending it twice stores it
once. `generator` tells the story day by day and goes on live; `sender` delivers it to a running collector.
"""

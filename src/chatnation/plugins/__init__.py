"""The features that ship with Chatnation, one folder each, found through entry points like any other plugin."""

"""Country and city of an event, from a local database or the phone number."""

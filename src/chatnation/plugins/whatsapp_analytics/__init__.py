"""Messages, contacts, response times and what becomes of messages on WhatsApp."""

"""How each number about WhatsApp is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

RECEIVED = "Messages that contacts wrote (message.received)."
SENT = "Messages that the bot or agents wrote (message.sent)."
CONTACTS = "Different persons who wrote. Somebody who is known by several ids counts once."
NEW_CONTACTS = "Persons whose first message ever came in the period."
READ_RATE = (
    "Of the messages that were sent in the period, those that were read within 7 days. Each message counts once, by "
    "its id (messageId or message_id); messages without one cannot be followed, and are left out."
)
DELIVERY = (
    "Messages sent in the period, each once by its id, and how many of them were delivered and read within 7 days. A "
    "message that was read counts as delivered."
)
REPLY_RATE = "Of the persons who were sent a message in the period, those who wrote within 24 hours after one."
RESPONSE_TIME = (
    "From each message of a contact to the next message that the contact is sent, by the bot or an agent, if that "
    "comes within 24 hours. Messages that nobody answered in that time are told apart."
)
RESPONDERS = "The same response times, by who sent the message that answered."
HOURS = "Messages received by the hour, in your time zone."
WEEK = "Messages received by weekday and hour, in your time zone."
COUNTRIES = "Messages received by the country of the contact's phone number, from its prefix."
AGENTS = (
    "Chats that agents resolved in the period (chat.resolved), messages that they sent, and the different contacts "
    "that they wrote to."
)
RESOLUTION = (
    "From the moment when an agent takes a chat (agent.handoff) to when it is resolved (chat.resolved), for chats "
    "taken in the period and resolved within 30 days. Chats that are still open are told apart."
)
LENGTH = (
    "Messages received and sent in the period, by conversation: the chat that a message names (chatId), else the visit "
    "of its contact."
)
TEMPLATES = "Delivery and reading by the template that a message was made from."
BY_AGENT = "Delivery and reading of the messages that each agent sent."

METRICS = (
    Metric("whatsapp_analytics.received", "Messages received", RECEIVED),
    Metric("whatsapp_analytics.sent", "Messages sent", SENT),
    Metric("whatsapp_analytics.contacts", "Unique contacts", CONTACTS),
    Metric("whatsapp_analytics.new_contacts", "New contacts", NEW_CONTACTS),
    Metric("whatsapp_analytics.read_rate", "Read rate", READ_RATE, "percent"),
    Metric("whatsapp_analytics.delivery", "Delivery of messages", DELIVERY),
    Metric("whatsapp_analytics.reply_rate", "Reply rate", REPLY_RATE, "percent"),
    Metric("whatsapp_analytics.response_time", "Response time", RESPONSE_TIME, "seconds"),
    Metric("whatsapp_analytics.responders", "Response time by sender", RESPONDERS, "seconds"),
    Metric("whatsapp_analytics.hours", "Messages by hour", HOURS),
    Metric("whatsapp_analytics.week", "Hours of the week", WEEK),
    Metric("whatsapp_analytics.countries", "Countries", COUNTRIES),
    Metric("whatsapp_analytics.agents", "Agents", AGENTS),
    Metric("whatsapp_analytics.resolution", "Resolution time", RESOLUTION, "seconds"),
    Metric("whatsapp_analytics.length", "Length of conversations", LENGTH),
    Metric("whatsapp_analytics.templates", "Templates", TEMPLATES),
    Metric("whatsapp_analytics.by_agent", "Delivery by agent", BY_AGENT),
)

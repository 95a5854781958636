"""The events that the product knows: their names, what they say, and the properties that are read.

Any other name is accepted and stored the same way. Plugins add to the catalogue through `register_event_types`.
"""

from __future__ import annotations

from chatnation.core.hookspecs.events import EventType

_MESSAGE = {
    "messageId": "the provider's id of the message",
    "type": "text, image, video, audio, document, location, contacts, template or interactive",
    "text": "the text, or an object with `body`",
    "caption": "text below a medium",
    "media_url": "address of the medium; `link` and `image.link` are read too",
    "chatId": "your id of the conversation",
}
_JOURNEY = {"step": "name of the step; `journeyStep` is read too"}

EVENT_TYPES = (
    # Web and app
    EventType("page_view", "A page was looked at; which one is in `context.page`.", {}),
    EventType("screen_view", "A screen of an app was looked at.", {"name": "name of the screen"}),
    EventType(
        "identify",
        "Somebody is known from now on, and looking back.",
        {"name": "trait", "email": "trait", "phone": "trait", "pin": "trait: tax number"},
    ),
    EventType("alias", "Two ids are one person.", {}),
    EventType("group", "Somebody belongs to an organisation.", {"group_id": "its id"}),
    EventType("button_click", "A button was pressed.", {"label": "its text", "button_id": "its id"}),
    EventType("signup_started", "Somebody began to register.", {"source": "where they came from"}),
    EventType("signup_completed", "Somebody registered.", {"method": "how"}),
    EventType("form_submitted", "A form was sent.", {"form_id": "its id"}),
    EventType("app_error", "Something went wrong in front of a visitor.", {"error_code": "code", "message": "text"}),
    EventType("conversion", "A goal was reached; a conversion by default.", {}),
    EventType("purchase", "Something was bought; a conversion by default.", {"amount": "price"}),
    EventType("form_submit", "A form was sent; a conversion by default.", {"form_id": "its id"}),
    EventType(
        "whatsapp_link_created", "A page shows a link to WhatsApp that carries a token.", {"phone": "its number"}
    ),
    # Tax app
    EventType("filing_started", "A return was begun.", {"obligation_type": "mri, tot or nil", **_JOURNEY}),
    EventType("validation_success", "The taxpayer was found.", {"obligation_type": "mri, tot or nil", **_JOURNEY}),
    EventType("otp_verified", "The code was right.", {"method": "whatsapp or sms", **_JOURNEY}),
    EventType("otp_success", "The code was right; older name of `otp_verified`.", {"method": "whatsapp or sms"}),
    EventType(
        "return_filed",
        "A return was filed; a conversion by default.",
        {"obligation": "mri, tot or nil", "receipt_number": "receipt", "period": "year and month", "amount": "tax due"},
    ),
    EventType("payment_initiated", "A payment was begun.", {"amount": "sum", "prn": "payment registration number"}),
    EventType("payment_success", "A payment arrived; a conversion by default.", {"transaction_id": "its id"}),
    # WhatsApp
    EventType("message.received", "A contact wrote.", {"from": "phone number", "name": "profile name", **_MESSAGE}),
    EventType(
        "message.sent",
        "The bot or an agent wrote.",
        {"to": "phone number", "agentId": "who wrote, if a person", "template.name": "template", **_MESSAGE},
    ),
    EventType("message.delivered", "A message arrived on the contact's device.", {"messageId": "of which message"}),
    EventType("message.read", "A message was read.", {"messageId": "of which message"}),
    EventType("contact.created", "A contact was added.", {"name": "name", "source": "how"}),
    EventType("chat.assigned", "A chat was given to an agent.", {"chatId": "chat", "agentId": "agent"}),
    EventType(
        "campaign.sent",
        "A campaign went out.",
        {"campaignId": "id", "campaignName": "name", "recipientCount": "to how many"},
    ),
    # Agents
    EventType(
        "agent.handoff",
        "A chat went from the bot to a person.",
        {"inboxSessionId": "chat", "agentId": "agent", "handoffReason": "why", "journeyStep": "where in the journey"},
    ),
    EventType(
        "chat.transferred",
        "A chat went from one agent to another.",
        {"fromAgentId": "agent", "toAgentId": "agent", "reason": "why", "isTakeover": "whether it was taken"},
    ),
    EventType(
        "chat.resolved",
        "A chat was closed.",
        {
            "agentId": "agent",
            "category": "what about",
            "outcome": "how it ended",
            "resolution_time_seconds": "seconds since it was accepted",
            "messageCount": "messages in it",
            "durationMinutes": "minutes",
        },
    ),
    EventType("csat.sent", "A contact was asked for a rating.", {"inboxSessionId": "chat", "agentId": "agent"}),
    EventType(
        "csat_submitted",
        "A rating was given.",
        {"rating": "1 to 5", "feedback": "text", "journey": "about what", "inboxSessionId": "about which chat"},
    ),
    # AI
    EventType(
        "ai.classification",
        "A model said what a text is about.",
        {"detected_intent": "intent", "confidence": "0 to 1", "latency_ms": "milliseconds", "model": "model"},
    ),
    EventType("ai.generation", "A model wrote an answer.", {"latency_ms": "milliseconds", "model": "model"}),
    EventType(
        "ai.error",
        "A model failed.",
        {"error_type": "timeout, json_parse_error, network, …", "recovered": "whether an answer was given after all"},
    ),
)

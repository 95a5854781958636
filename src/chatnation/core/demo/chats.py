"""What happens on WhatsApp: the bot with its classifier, the hand-over to an agent, the survey behind it."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatnation.core.demo.devices import random_uuid
from chatnation.core.demo.facts import Recorder
from chatnation.core.demo.rhythm import is_office_hour
from chatnation.core.demo.taxpayers import Taxpayer

LIBRARY = {"name": "chatnation-bot", "version": "2.3.0"}
MODEL = "intent-small-2"


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody wants of the bot. `link`: it answers with a link to the site; `handover`: how often it gives up."""

    name: str
    weight: float
    questions: tuple[str, ...]
    answer: str
    category: str
    link: bool = False
    handover: float = 0.12


INTENTS = (
    Intent(
        "nil_filing",
        30,
        ("How do I file a nil return?", "Nataka kufile nil returns", "file nil", "I had no income last year"),
        "You can file here in two minutes:",
        "Filing",
        link=True,
        handover=0.06,
    ),
    Intent(
        "payment_status",
        17,
        ("Has my payment arrived?", "I paid but it still shows a balance", "payment status please"),
        "Payments show within one working day. Your account:",
        "Payments",
        link=True,
        handover=0.24,
    ),
    Intent(
        "pin_registration",
        15,
        ("How do I get a PIN?", "Nataka PIN mpya", "register new pin"),
        "Have your identity card ready. Register here:",
        "Registration",
        link=True,
        handover=0.10,
    ),
    Intent(
        "tcc_application",
        12,
        ("I need a tax compliance certificate", "TCC ya tender", "apply for TCC"),
        "A certificate needs all returns filed. Check yours:",
        "Compliance",
        handover=0.2,
    ),
    Intent(
        "etims_query",
        14,
        ("My eTIMS invoice was rejected", "How do I start with eTIMS?", "etims onboarding"),
        "These are the steps for electronic invoices: …",
        "eTIMS",
        handover=0.3,
    ),
    Intent(
        "general_inquiry",
        12,
        ("When is the deadline?", "Where is your office in Nakuru?", "What are the opening hours?"),
        "Returns are due on the 20th. Offices open 8 to 5.",
        "General",
        handover=0.08,
    ),
)
AGENTS = (
    ("agent-wanjiru", "Wanjiru K."),
    ("agent-otieno", "Otieno M."),
    ("agent-amina", "Amina S."),
    ("agent-kiprono", "Kiprono T."),
    ("agent-mercy", "Mercy N."),
    ("agent-dennis", "Dennis O."),
    ("agent-halima", "Halima A."),
)
AGENT_LINES = (
    "Hello, how can I help?",
    "Let me check that for you.",
    "I see it now, one moment please.",
    "That is solved, please log in again.",
    "You will get a message once it is booked.",
)
CONTACT_LINES = ("Thank you", "It still does not work", "Asante sana", "ok", "My PIN is correct, I checked twice")
FEEDBACK = {
    5: ("Very quick, thank you", "Asante, vizuri sana", "Solved at once"),
    4: ("Good", "Helpful"),
    3: ("Took a while", "Ok"),
    2: ("I had to explain it twice",),
    1: ("Nobody answered for an hour", "Not solved"),
}
STUCK_HANDOVER = 0.62
"""How often the bot hands over somebody who is stuck in a journey."""
ERROR_KINDS = (("timeout", 45), ("json_parse_error", 25), ("rate_limit", 15), ("network", 15))


class Chat(Recorder):
    """One conversation: what the bot's and the contact centre's servers would send."""

    def __init__(self, rng: random.Random, start: datetime, person: Taxpayer) -> None:
        super().__init__(rng, start)
        self.person = person
        self._chat_id = random_uuid(rng)
        self.messages = 0

    def receive(self, text: str, *, handshake_token: str | None = None) -> None:
        """The contact writes. With a token the text is the one that the website prefilled."""
        self.messages += 1
        properties = self._message(text, "inbound") | {"from": self.person.phone, "name": self.person.name}
        self._send("message.received", properties, handshake_token=handshake_token)

    def reply(
        self, text: str, *, agent_id: str | None = None, template: str | None = None, handshake_token: str | None = None
    ) -> None:
        """The bot or an agent writes; the receipts follow."""
        self.messages += 1
        properties = self._message(text, "outbound") | {"to": self.person.phone, "isAutomated": agent_id is None}
        if agent_id:
            properties["agentId"] = agent_id
        if template:
            properties |= {"type": "template", "template": {"name": template}}
        self._send("message.sent", properties, handshake_token=handshake_token)
        # Some of the servers that tell of receipts spell the id in the other way.
        spelling = "message_id" if self.chance(0.2) else "messageId"
        receipt = {spelling: properties["messageId"], "chatId": self._chat_id}
        if not self.chance(0.975):
            return
        self.wait(0.3, 4)
        self._send("message.delivered", receipt)
        if self.chance(0.84):
            self.wait(1, 40)
            self._send("message.read", receipt)

    def classify(self, text: str, intent: str, confidence: float) -> None:
        """The classifier says what a text is about."""
        self.wait(0.2, 1.2)
        latency = round(self.rng.lognormvariate(5.6, 0.55))
        self._send(
            "ai.classification",
            {
                "detected_intent": intent,
                "confidence": round(confidence, 3),
                "latency_ms": latency,
                "model": MODEL,
                "input_text": text,
                "prompt_tokens": 180 + len(text),
                "completion_tokens": self.rng.randrange(8, 24),
            },
        )

    def generate(self, text: str) -> None:
        """The model writes an answer."""
        latency = round(self.rng.lognormvariate(6.9, 0.5))
        self._send(
            "ai.generation",
            {"prompt_type": "answer", "output_length": len(text), "latency_ms": latency, "model": MODEL},
        )

    def fail(self, *, recovered: bool) -> None:
        """The model does not answer, or with rubbish."""
        kind = self.rng.choices([name for name, _ in ERROR_KINDS], [share for _, share in ERROR_KINDS])[0]
        fallback = "retry" if recovered else "agent_handoff"
        self._send(
            "ai.error",
            {
                "error_type": kind,
                "recovered": recovered,
                "recovery_attempt": 1,
                "fallback_action": fallback,
                "model": MODEL,
            },
        )

    def note(self, name: str, properties: Mapping[str, Any]) -> None:
        """Something the contact centre writes down about this chat."""
        self._send(
            name, {"chatId": self._chat_id, "inboxSessionId": self._chat_id, "channel": "whatsapp", **properties}
        )

    def _message(self, text: str, direction: str) -> dict[str, Any]:
        provider_id = "wamid." + base64.b64encode(self.rng.randbytes(21)).decode()
        return {
            "messageId": provider_id,
            "chatId": self._chat_id,
            "direction": direction,
            "type": "text",
            "text": text,
            "contentLength": len(text),
            "hasMedia": False,
        }

    def _send(self, name: str, properties: Mapping[str, Any], *, handshake_token: str | None = None) -> None:
        phone = self.person.phone
        self.record(
            name,
            properties=properties,
            context={
                "library": LIBRARY,
                "channel": "whatsapp",
                "externalId": phone,
                **({"handshakeToken": handshake_token} if handshake_token else {}),
            },
            client=None,
            user_id=phone,
        )


def ask_the_bot(
    chat: Chat,
    person: Taxpayer,
    *,
    opening: str | None = None,
    token: str | None = None,
    link_token: str,
    stuck_at: str | None = None,
) -> bool:
    """A conversation from greeting to answer or to the agent. Returns whether the bot sent a link with `link_token`.

    `stuck_at` is the step of the website's journey that the person could not get over: what an agent can often help
    with, and the bot seldom.
    """
    rng = chat.rng
    intent = rng.choices(INTENTS, [intent.weight for intent in INTENTS])[0]
    if opening is not None:
        chat.receive(opening, handshake_token=token)
        chat.wait(1, 5)
    if opening is not None or chat.chance(0.7):
        greeting = rng.choice(("Hi", "Hello", "Habari", "Good morning"))
        if opening is None:
            chat.receive(greeting)
        chat.classify(opening or greeting, "greeting", rng.uniform(0.9, 0.99))
        chat.reply(f"Hello {person.name.split()[0]}, what can I do for you?", template="main_menu")
        chat.wait(4, 60)
        if chat.chance(0.1):
            return False
    question = rng.choice(intent.questions)
    chat.receive(question)
    if chat.chance(0.12):
        chat.classify(question, "unknown", rng.uniform(0.2, 0.5))
        chat.reply("Sorry, I did not get that. Please say it in other words.")
        chat.wait(6, 90)
        question = rng.choice(intent.questions)
        chat.receive(question)
    handed_over = chat.chance(intent.handover if stuck_at is None else STUCK_HANDOVER)
    if chat.chance(0.035):
        chat.fail(recovered=not handed_over)
    chat.classify(question, intent.name, min(0.99, max(0.35, rng.gauss(0.86, 0.09))))
    if handed_over:
        talk_to_agent(chat, intent, stuck_at)
        return False
    chat.generate(intent.answer)
    chat.wait(0.5, 3)
    if not intent.link:
        chat.reply(intent.answer, template=f"answer_{intent.name}")
        return False
    chat.reply(
        f"{intent.answer} https://tax.example/?hs_token={link_token}",
        template=f"link_{intent.name}",
        handshake_token=link_token,
    )
    return True


def talk_to_agent(chat: Chat, intent: Intent, stuck_at: str | None = None) -> None:
    """The hand-over, the wait, the talk, and for most the survey."""
    rng = chat.rng
    agent_id, agent_name = rng.choice(AGENTS)
    reason = rng.choices(("user_request", "low_confidence", "escalation"), (55, 25, 20))[0]
    chat.reply("I am passing you on to a colleague.")
    chat.wait(*((20, 900) if is_office_hour(chat.now) else (600, 7_200)))
    accepted = chat.now
    chat.note(
        "agent.handoff",
        {
            "agentId": agent_id,
            "agentName": agent_name,
            "handoffReason": reason,
            "journeyStep": stuck_at or intent.name,
            **({"journey": chat.person.obligation.upper()} if stuck_at else {}),
            "previousMode": "bot",
            "newMode": "agent",
        },
    )
    if chat.chance(0.1):
        other, _ = rng.choice([agent for agent in AGENTS if agent[0] != agent_id])
        chat.note(
            "chat.transferred",
            {"fromAgentId": agent_id, "toAgentId": other, "reason": "expertise", "isTakeover": False},
        )
        agent_id = other
    for line in AGENT_LINES[: rng.randrange(2, len(AGENT_LINES) + 1)]:
        chat.wait(15, 180)
        chat.reply(line, agent_id=agent_id)
        if chat.chance(0.8):
            chat.wait(10, 240)
            chat.receive(rng.choice(CONTACT_LINES))
    if chat.chance(0.03):
        return  # The agent forgets to close it.
    chat.wait(20, 200)
    seconds = round((chat.now - accepted).total_seconds())
    chat.note(
        "chat.resolved",
        {
            "agentId": agent_id,
            "category": intent.category,
            "outcome": "solved" if chat.chance(0.86) else "follow_up",
            "resolution_time_seconds": seconds,
            "messageCount": chat.messages,
            "durationMinutes": round(seconds / 60, 1),
        },
    )
    chat.wait(1, 5)
    chat.reply("How did we do? https://tax.example/csat", agent_id=agent_id, template="csat_survey")
    chat.note("csat.sent", {"agentId": agent_id})
    if chat.chance(0.42):
        chat.wait(20, 1_800)
        rating = rng.choices((5, 4, 3, 2, 1), (50, 22, 11, 6, 11))[0]
        feedback = rng.choice(FEEDBACK[rating]) if chat.chance(0.5) else ""
        chat.note("csat_submitted", {"rating": rating, "feedback": feedback, "journey": intent.category})
        if chat.chance(0.06):  # Second thoughts: the form is sent again.
            chat.wait(10, 300)
            again = {"rating": max(1, rating - 1), "feedback": rng.choice(FEEDBACK[max(1, rating - 1)])}
            chat.note("csat_submitted", {**again, "journey": intent.category})

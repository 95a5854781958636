"""One timeline per person across website, app, WhatsApp and AI agent: the public names for authors of plugins.

Whatever is not named here, or in the `api.py` of a plugin, may change without notice. `API_VERSION` rises when
something here changes in a way that breaks plugins. Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.archivables import Archivable, Choice, Doomed
    from chatnation.core.audit import ActorRef, ActorType, AuditLog, AuditRecord, audit_of
    from chatnation.core.auth.events import MemberDeactivated, TenantDeleted
    from chatnation.core.auth.keys import KeyType
    from chatnation.core.auth.places import Places
    from chatnation.core.auth.projects import Projects
    from chatnation.core.auth.teams import TeamRole, TeamRoles
    from chatnation.core.cli._context import Instance, on_instance
    from chatnation.core.clock import Clock
    from chatnation.core.compose import compose
    from chatnation.core.context import Actor, Tenant
    from chatnation.core.errors import ChatnationError, ConfigurationError, NotFound, Problem
    from chatnation.core.hookspecs.auth import CodeMessage, LoginProvider, SecondFactor
    from chatnation.core.hookspecs.events import EventType, QueueDriver
    from chatnation.core.hookspecs.lifecycle import Health
    from chatnation.core.identity.persons import Persons
    from chatnation.core.ids import hashed_uuid, uuid7
    from chatnation.core.ingestion.event import Delivery, Event, EventBatch
    from chatnation.core.ingestion.exchange import Acceptance, Exchange
    from chatnation.core.ingestion.intake import Intake
    from chatnation.core.ingestion.ledger import IngestLedger
    from chatnation.core.ingestion.rejections import Rejected, Rejection
    from chatnation.core.jobs.definitions import Job, Listener, Retention, Schedule
    from chatnation.core.jobs.enqueueing import Jobs
    from chatnation.core.mail import CORE_MAILS, ConsoleMailer, Mail, Mailer, MailTemplate, mailer_of
    from chatnation.core.outgoing import AddressRefused, Outgoing
    from chatnation.core.plugin.base import API_VERSION, Plugin, hookimpl, hookspec
    from chatnation.core.plugin.boundary import Outcome
    from chatnation.core.plugin.hooks import Hooks
    from chatnation.core.plugin.services import Service, ServiceMissing, Services
    from chatnation.core.processing.projection import Projection
    from chatnation.core.processing.stage import Stage
    from chatnation.core.query.metrics import Metric
    from chatnation.core.queue.base import Entry, EventQueue
    from chatnation.core.queue.deadletters import DeadLetter, DeadLetters
    from chatnation.core.sealed_columns import SealedColumn
    from chatnation.core.settings import Role, Settings
    from chatnation.core.signals import DomainEvent, Signals
    from chatnation.core.storage.erasure import Eraser, Receipt
    from chatnation.core.storage.errors import DatabaseUnavailable
    from chatnation.core.storage.export import PersonExporter
    from chatnation.core.storage.storage import Storage, raw
    from chatnation.core.storage.tenant_export import TenantExporter
    from chatnation.core.storage.tenant_settings import TenantSettings
    from chatnation.core.vault import CannotOpen, Vault
    from chatnation.core.web.access import check_fresh
    from chatnation.core.web.accounts.ending import LoginEnding
    from chatnation.core.web.audited import record_export, record_of
    from chatnation.core.web.filters import quantity
    from chatnation.core.web.links import link
    from chatnation.core.web.live import LiveHub
    from chatnation.core.web.notices import redirect
    from chatnation.core.web.paging import Slice, after_cursor, decode_cursor, slice_rows
    from chatnation.core.web.routing import (
        AUTHENTICATED,
        PUBLIC,
        IngestRoute,
        Middleware,
        NavigationEntry,
        Page,
        Permission,
        Route,
    )
    from chatnation.core.web.spreadsheet import csv_response, csv_stream

__all__ = [
    "API_VERSION",
    "AUTHENTICATED",
    "CORE_MAILS",
    "PUBLIC",
    "Acceptance",
    "Actor",
    "ActorRef",
    "ActorType",
    "AddressRefused",
    "App",
    "Archivable",
    "AuditLog",
    "AuditRecord",
    "CannotOpen",
    "ChatnationError",
    "Choice",
    "Clock",
    "CodeMessage",
    "ConfigurationError",
    "ConsoleMailer",
    "DatabaseUnavailable",
    "DeadLetter",
    "DeadLetters",
    "Delivery",
    "DomainEvent",
    "Doomed",
    "Entry",
    "Eraser",
    "Event",
    "EventBatch",
    "EventQueue",
    "EventType",
    "Exchange",
    "Health",
    "Hooks",
    "IngestLedger",
    "IngestRoute",
    "Instance",
    "Intake",
    "Job",
    "Jobs",
    "KeyType",
    "Listener",
    "LiveHub",
    "LoginEnding",
    "LoginProvider",
    "Mail",
    "MailTemplate",
    "Mailer",
    "MemberDeactivated",
    "Metric",
    "Middleware",
    "NavigationEntry",
    "NotFound",
    "Outcome",
    "Outgoing",
    "Page",
    "Permission",
    "PersonExporter",
    "Persons",
    "Places",
    "Plugin",
    "Problem",
    "Projection",
    "Projects",
    "QueueDriver",
    "Receipt",
    "Rejected",
    "Rejection",
    "Retention",
    "Role",
    "Route",
    "Schedule",
    "SealedColumn",
    "SecondFactor",
    "Service",
    "ServiceMissing",
    "Services",
    "Settings",
    "Signals",
    "Slice",
    "Stage",
    "Storage",
    "TeamRole",
    "TeamRoles",
    "Tenant",
    "TenantDeleted",
    "TenantExporter",
    "TenantSettings",
    "Vault",
    "after_cursor",
    "audit_of",
    "check_fresh",
    "compose",
    "csv_response",
    "csv_stream",
    "decode_cursor",
    "hashed_uuid",
    "hookimpl",
    "hookspec",
    "link",
    "mailer_of",
    "on_instance",
    "quantity",
    "raw",
    "record_export",
    "record_of",
    "redirect",
    "slice_rows",
    "uuid7",
]

_HOMES = {
    "core.cli._context": (
        "Instance",
        "on_instance",
    ),
    "core.app": ("App",),
    "core.archivables": ("Archivable", "Choice", "Doomed"),
    "core.audit": ("ActorRef", "ActorType", "AuditLog", "AuditRecord", "audit_of"),
    "core.auth.events": ("MemberDeactivated", "TenantDeleted"),
    "core.auth.keys": ("KeyType",),
    "core.auth.places": ("Places",),
    "core.auth.projects": ("Projects",),
    "core.auth.teams": ("TeamRole", "TeamRoles"),
    "core.clock": ("Clock",),
    "core.compose": ("compose",),
    "core.context": ("Actor", "Tenant"),
    "core.errors": ("ChatnationError", "ConfigurationError", "NotFound", "Problem"),
    "core.hookspecs.auth": (
        "CodeMessage",
        "LoginProvider",
        "SecondFactor",
    ),
    "core.hookspecs.events": ("EventType", "QueueDriver"),
    "core.hookspecs.lifecycle": ("Health",),
    "core.identity.persons": ("Persons",),
    "core.ids": ("hashed_uuid", "uuid7"),
    "core.ingestion.event": ("Delivery", "Event", "EventBatch"),
    "core.ingestion.exchange": ("Acceptance", "Exchange"),
    "core.ingestion.intake": ("Intake",),
    "core.ingestion.ledger": ("IngestLedger",),
    "core.ingestion.rejections": ("Rejected", "Rejection"),
    "core.jobs.definitions": ("Job", "Listener", "Retention", "Schedule"),
    "core.jobs.enqueueing": ("Jobs",),
    "core.mail": (
        "CORE_MAILS",
        "ConsoleMailer",
        "Mail",
        "MailTemplate",
        "Mailer",
        "mailer_of",
    ),
    "core.plugin.base": ("API_VERSION", "Plugin", "hookimpl", "hookspec"),
    "core.plugin.boundary": ("Outcome",),
    "core.plugin.hooks": ("Hooks",),
    "core.plugin.services": ("Service", "ServiceMissing", "Services"),
    "core.processing.projection": ("Projection",),
    "core.processing.stage": ("Stage",),
    "core.query.metrics": ("Metric",),
    "core.queue.base": ("Entry", "EventQueue"),
    "core.queue.deadletters": ("DeadLetter", "DeadLetters"),
    "core.settings": ("Role", "Settings"),
    "core.signals": ("DomainEvent", "Signals"),
    "core.storage.erasure": ("Eraser", "Receipt"),
    "core.storage.errors": ("DatabaseUnavailable",),
    "core.storage.export": ("PersonExporter",),
    "core.storage.storage": ("Storage", "raw"),
    "core.storage.tenant_export": ("TenantExporter",),
    "core.storage.tenant_settings": ("TenantSettings",),
    "core.vault": ("CannotOpen", "Vault"),
    "core.web.access": ("check_fresh",),
    "core.web.audited": ("record_export", "record_of"),
    "core.web.filters": ("quantity",),
    "core.web.links": ("link",),
    "core.web.live": ("LiveHub",),
    "core.web.notices": ("redirect",),
    "core.web.paging": ("Slice", "after_cursor", "decode_cursor", "slice_rows"),
    "core.web.routing": (
        "AUTHENTICATED",
        "PUBLIC",
        "IngestRoute",
        "Middleware",
        "NavigationEntry",
        "Page",
        "Permission",
        "Route",
    ),
    "core.web.spreadsheet": (
        "csv_response",
        "csv_stream",
    ),
    "core.outgoing": (
        "AddressRefused",
        "Outgoing",
    ),
    "core.sealed_columns": ("SealedColumn",),
    "core.web.accounts.ending": ("LoginEnding",),
}
_HOME_OF = {name: f"chatnation.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"chatnation has no public name {name}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

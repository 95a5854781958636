"""Chatnation: one timeline per person. This module is the public API for plugin authors."""

from chatnation.core.app import App
from chatnation.core.errors import ChatnationError
from chatnation.core.hookspecs.lifecycle import Health
from chatnation.core.ingestion.event import Event, EventBatch
from chatnation.core.plugin.base import API_VERSION, Plugin, hookimpl
from chatnation.core.processing.projection import Projection
from chatnation.core.processing.stage import Stage
from chatnation.core.storage.tenant_settings import TenantSettings
from chatnation.core.web.routing import IngestRoute

__all__ = [
    "API_VERSION",
    "App",
    "ChatnationError",
    "Event",
    "EventBatch",
    "Health",
    "IngestRoute",
    "Plugin",
    "Projection",
    "Stage",
    "TenantSettings",
    "hookimpl",
]

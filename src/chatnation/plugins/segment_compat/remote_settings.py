"""What browser and mobile SDKs fetch before they send: where to, and how."""

from __future__ import annotations

from typing import Any


def segment_settings(write_key: str, host: str, scheme: str) -> dict[str, Any]:
    """For analytics-next and Segment's mobile SDKs: events go to `host`, and no metrics of the SDK about itself."""
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{host}/v1",
                "protocol": scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "metrics": {"sampleRate": 0},
    }


def rudder_source_config(write_key: str, source_id: str, name: str) -> dict[str, Any]:
    """For RudderStack's browser and mobile SDKs: an enabled source without destinations."""
    return {
        "source": {
            "id": source_id,
            "name": name,
            "writeKey": write_key,
            "enabled": True,
            "workspaceId": source_id,
            "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
            "connections": [],
            "destinations": [],
        },
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "consentManagementMetadata": {"providers": []},
    }

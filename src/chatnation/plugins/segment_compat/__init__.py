"""Takes events from the SDKs of Segment, RudderStack and PostHog."""

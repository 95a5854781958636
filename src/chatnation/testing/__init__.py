"""The kit for authors of plugins: fixtures (`make_app`), events, a clock, and the compliance suite.

The fixtures come with the pytest plugin of this package. Tests run on real servers, which start by themselves.
"""

from chatnation.testing.clock import FakeClock
from chatnation.testing.events import identify, page_view, track, whatsapp_message

__all__ = ["FakeClock", "identify", "page_view", "track", "whatsapp_message"]

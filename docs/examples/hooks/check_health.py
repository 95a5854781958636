from chatnation import Health, Plugin, hookimpl


class HolidaysPlugin(Plugin):
    """Holidays"""

    name = "holidays"
    known_years: frozenset[int] = frozenset({2026, 2027})

    @hookimpl
    async def check_health(self) -> Health:
        if 2026 not in self.known_years:
            return Health(False, "the holidays of 2026 are not known: no day counts as one")
        return Health(True, f"holidays of {len(self.known_years)} years")

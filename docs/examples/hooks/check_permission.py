from chatnation import Actor, Plugin, hookimpl


class FreezePlugin(Plugin):
    """Change freeze"""

    name = "freeze"

    @hookimpl
    async def check_permission(self, actor: Actor, permission: str) -> bool | None:
        if permission == "settings.manage" and actor.role != "super_admin":
            return False
        return None

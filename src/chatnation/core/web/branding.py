"""What makes pages look like the tenant's: name, logo and colour, under a policy without inline styles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.brands import Brand, Brands
from chatnation.core.auth.colours import channels, palette, shaded
from chatnation.core.web.middleware import CONTENT_SECURITY_POLICY
from chatnation.core.web.routing import PUBLIC, Page

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor

_FOR_EVER = "public, max-age=31536000, immutable"


class BrandStyles:
    """`/branding/<rrggbb>.css`: the variables of a colour. It says nothing of whose colour it is."""

    def pages(self) -> list[Page]:
        return [Page("//branding/{colour}.css", self.stylesheet, PUBLIC)]

    async def stylesheet(self, request: Request) -> Response:
        try:
            content = stylesheet(f"#{request.path_params['colour']}")
        except ValueError:
            raise HTTPException(404) from None
        return Response(content, media_type="text/css", headers={"Cache-Control": _FOR_EVER})


def brand_of(app: App, request: Request, actor: Actor | None) -> Brand:
    """The brand that whoever sent `request` sees."""
    brands = app.services.get(Brands)
    return brands.of_tenant(actor.tenant.id) if actor else brands.of_host(request.url.hostname or "")


def style_address(brand: Brand) -> str | None:
    """The address of the stylesheet with the brand's colour; None for the product's."""
    return f"/branding/{brand.colour[1:].lower()}.css" if brand.colour else None


def headers_of(brand: Brand) -> dict[str, str]:
    """Lets a page show a logo that lies elsewhere, and nothing else from there."""
    if brand.logo_origin is None:
        return {}
    return {"Content-Security-Policy": CONTENT_SECURITY_POLICY.replace("img-src ", f"img-src {brand.logo_origin} ")}


def stylesheet(colour: str) -> str:
    """Tabler's variables for `colour`, made readable on light and on dark pages. Raises ValueError."""
    shades = palette(colour)
    return _rule(':root,[data-bs-theme="light"]', shades.on_light, shades.text_on_light) + _rule(
        '[data-bs-theme="dark"]', shades.on_dark, shades.text_on_dark
    )


def _rule(selector: str, colour: str, text: str) -> str:
    variables = {
        "primary": colour,
        "primary-rgb": channels(colour),
        "primary-fg": text,
        "primary-darken": shaded(colour, 0.9),
        "link-color": colour,
        "link-color-rgb": channels(colour),
        "link-hover-color": shaded(colour, 0.85),
        "link-hover-color-rgb": channels(shaded(colour, 0.85)),
    }
    return f"{selector}{{{''.join(f'--tblr-{name}:{value};' for name, value in variables.items())}}}\n"

"""Colours that can be read: the contrast of two, as WCAG 2 counts it, and the nearest one that is enough."""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass

ENOUGH = 4.5
"""Contrast that ordinary text needs (WCAG 2.2, success criterion 1.4.3)."""
LIGHT_SURFACE, DARK_SURFACE = "#ffffff", "#262626"
_HEX = re.compile("#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Palette:
    """What becomes of a colour: as text on light and on dark pages, and the text on top of each."""

    colour: str
    on_light: str
    on_dark: str

    @property
    def text_on_light(self) -> str:
        return text_on(self.on_light)

    @property
    def text_on_dark(self) -> str:
        return text_on(self.on_dark)


def palette(colour: str) -> Palette:
    """The nearest colours that can be read; the colour itself where it can."""
    return Palette(colour, readable(colour, LIGHT_SURFACE), readable(colour, DARK_SURFACE))


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black and white."""
    lighter, darker = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """White or black, whichever is read more easily; one of them is always enough."""
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, colour))


def readable(colour: str, surface: str) -> str:
    """`colour`, or the nearest lighter or darker one of its hue that can be read on `surface`."""
    hue, lightness, saturation = rgb_to_hls(*_rgb(colour))
    step = 0.01 if _luminance(_rgb(surface)) < 0.18 else -0.01
    shade = colour.lower()
    while contrast(shade, surface) < ENOUGH and 0 <= lightness <= 1:
        lightness += step
        shade = _hex(hls_to_rgb(hue, min(max(lightness, 0), 1), saturation))
    return shade


def shaded(colour: str, factor: float) -> str:
    """`colour` made darker by a factor below 1."""
    red, green, blue = _rgb(colour)
    return _hex((red * factor, green * factor, blue * factor))


def channels(colour: str) -> str:
    """`#066fd1` → `6, 111, 209`."""
    return ", ".join(str(round(channel * 255)) for channel in _rgb(colour))


def _rgb(colour: str) -> Rgb:
    match = _HEX.fullmatch(colour.lower())
    if match is None:
        raise ValueError(f"{colour!r} is no colour like #066fd1")
    red, green, blue = (int(part, 16) / 255 for part in match.groups())
    return red, green, blue


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in rgb)


def _luminance(rgb: Rgb) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""What a file is, by its content; and which kinds are taken."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import filetype

from chatnation import ChatnationError

_HEAD = 8192
_PIECE = 1024 * 1024
_LONGEST_NAME = 150


class KindRefused(ChatnationError):
    """A file is of a kind that is not taken. The text says which are."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken. `inline`: a browser may show it; anything else it only downloads."""

    content_type: str
    extensions: tuple[str, ...]
    inline: bool = False


def _kinds(group: str, inline: bool, *kinds: str) -> list[Kind]:
    """`png:png`, `jpeg:jpg,jpeg`: subtype and extensions."""
    made = []
    for kind in kinds:
        subtype, _, extensions = kind.partition(":")
        made.append(Kind(f"{group}/{subtype}", tuple(extensions.split(",")), inline))
    return made


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_DOCUMENTS = {
    "word/": Kind(f"{_OOXML}wordprocessingml.document", ("docx",)),
    "xl/": Kind(f"{_OOXML}spreadsheetml.sheet", ("xlsx",)),
    "ppt/": Kind(f"{_OOXML}presentationml.presentation", ("pptx",)),
}
_OPEN_DOCUMENTS = {
    f"{_ODF}text": Kind(f"{_ODF}text", ("odt",)),
    f"{_ODF}spreadsheet": Kind(f"{_ODF}spreadsheet", ("ods",)),
    f"{_ODF}presentation": Kind(f"{_ODF}presentation", ("odp",)),
}
_TEXTS = {
    extension: kind
    for kind in _kinds("text", False, "plain:txt,text,log,md", "csv:csv")
    for extension in kind.extensions
}
_MARKED = {
    kind.content_type: kind
    for kind in (
        *_kinds("image", True, "png:png", "jpeg:jpg,jpeg,jfif", "gif:gif", "webp:webp", "avif:avif", "bmp:bmp"),
        *_kinds("image", False, "heic:heic", "tiff:tif,tiff"),
        *_kinds("audio", True, "mpeg:mp3", "ogg:ogg,oga,opus", "mp4:m4a", "wav:wav", "aac:aac", "flac:flac"),
        *_kinds("audio", False, "amr:amr"),
        *_kinds("video", True, "mp4:mp4,m4v", "webm:webm"),
        *_kinds("video", False, "3gpp:3gp,3gpp", "quicktime:mov"),
        Kind("application/pdf", ("pdf",)),
    )
}
"""Kinds that begin with bytes of their own. SVG is no image here, but a document that runs scripts."""
_ALSO_CALLED = {
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "video/x-m4v": "video/mp4",
    "audio/m4a": "audio/mp4",
    "image/x-ms-bmp": "image/bmp",
}
TAKEN = (*_MARKED.values(), *_DOCUMENTS.values(), *_OPEN_DOCUMENTS.values(), *dict.fromkeys(_TEXTS.values()))
"""Every kind that may be uploaded."""
_INLINE = frozenset(kind.content_type for kind in TAKEN if kind.inline)
_REFUSAL = "Images (but no SVG), PDF, audio, video, Word, Excel, PowerPoint, OpenDocument, text and CSV are taken."
_MARKUP = (b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script", b"<head", b"<body", b"<!--", b"<iframe")
_TRICKS = '"<>:|?*'
_CONTROL = bytes(range(32)).translate(None, b"\t\n\r\f\x1b") + b"\x7f"


def sniff(content: BinaryIO, filename: str) -> Kind:
    """The kind of a file, by what is in it; the name decides only between kinds of text. Leaves it at its beginning.

    Reads, so call it in a thread. Raises KindRefused, also for Office documents with macros.
    """
    content.seek(0)
    head = content.read(_HEAD)
    try:
        kind = _from(head, content, filename)
    finally:
        content.seek(0)
    if kind is None:
        raise KindRefused(f"Files of this kind are not taken. {_REFUSAL}")
    return kind


def may_be_shown(content_type: str) -> bool:
    """Whether a browser may show it; anything else is only downloaded."""
    return content_type in _INLINE


def clean_name(filename: str, kind: Kind) -> str:
    """`filename` without folders, control characters and other tricks, with an extension that fits what it is."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable() and character not in _TRICKS).strip(" .")
    path = PurePosixPath(name or "file")
    if path.suffix.lower().removeprefix(".") not in kind.extensions:
        path = PurePosixPath(f"{path.name}.{kind.extensions[0]}")
    return f"{path.stem[:_LONGEST_NAME]}{path.suffix.lower()}"


def _from(head: bytes, content: BinaryIO, filename: str) -> Kind | None:
    if head.startswith(b"PK\x03\x04"):
        return _in_zip(content)
    if head[4:10] in (b"ftyp3g", b"ftyp3G"):
        return _MARKED["video/3gpp"]
    guessed = filetype.guess_mime(head)
    if guessed is not None:
        return _MARKED.get(_ALSO_CALLED.get(guessed, guessed))
    kind = _TEXTS.get(filename.rpartition(".")[2].lower())
    return kind if kind is not None and _is_text(head, content) else None


def _in_zip(content: BinaryIO) -> Kind | None:
    """Which office document a zip is. Only names are looked at; nothing is unpacked but the one line of `mimetype`."""
    try:
        with zipfile.ZipFile(content) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                return _OPEN_DOCUMENTS.get(archive.read("mimetype").decode("ascii", "replace").strip())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, RuntimeError):
        return None
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    found = [kind for folder, kind in _DOCUMENTS.items() if any(name.startswith(folder) for name in names)]
    return found[0] if len(found) == 1 else None


def _is_text(head: bytes, content: BinaryIO) -> bool:
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        return False
    content.seek(0)
    while piece := content.read(_PIECE):
        if len(piece.translate(None, _CONTROL)) != len(piece):
            return False
    return True

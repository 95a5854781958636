"""What a file is, is told by what is in it."""

from __future__ import annotations

import io

import pytest

from chatnation.plugins.media.kinds import TAKEN, KindRefused, clean_name, may_be_shown, sniff
from tests.plugins.media.samples import DOCX, HTML, MACROS, PDF, PNG, SVG, zipped

_ODT = zipped(mimetype="application/vnd.oasis.opendocument.text", content="x")
_PIECES = b"\0" * 60

TAKEN_FILES = {
    "png": ("a.png", PNG, "image/png"),
    "jpeg": ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + _PIECES, "image/jpeg"),
    "gif": ("a.gif", b"GIF89a" + _PIECES, "image/gif"),
    "webp": ("a.webp", b"RIFF\x24\0\0\0WEBPVP8 " + _PIECES, "image/webp"),
    "pdf": ("a.pdf", PDF, "application/pdf"),
    "mp3": ("a.mp3", b"ID3\x03\0\0\0\0\0\0" + _PIECES, "audio/mpeg"),
    "voice note": ("a.ogg", b"OggS\0\x02" + b"\0" * 22 + b"\x01\x13OpusHead" + _PIECES, "audio/ogg"),
    "wav": ("a.wav", b"RIFF\x24\0\0\0WAVEfmt " + _PIECES, "audio/wav"),
    "m4a": ("a.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42" + _PIECES, "audio/mp4"),
    "amr": ("a.amr", b"#!AMR\n" + _PIECES, "audio/amr"),
    "mp4": ("a.mp4", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2" + _PIECES, "video/mp4"),
    "3gp": ("a.3gp", b"\0\0\0\x14ftyp3gp4\0\0\0\0" + _PIECES, "video/3gpp"),
    "docx": ("a.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "odt": ("a.odt", _ODT, "application/vnd.oasis.opendocument.text"),
    "text": ("a.txt", "Habari ya asubuhi, Ürün\n".encode(), "text/plain"),
    "csv": ("a.csv", b"name,amount\nWanjiku,12\n", "text/csv"),
    "csv of an old Excel": ("a.csv", "n;m\nJos\xe9;1\n".encode("latin-1"), "text/csv"),
    "a picture that is called a page": ("a.html", PNG, "image/png"),
}
REFUSED_FILES = {
    "svg": ("a.svg", SVG),
    "svg called png": ("a.png", SVG),
    "html": ("a.html", HTML),
    "html called txt": ("a.txt", HTML),
    "html after a blank": ("a.txt", b"\xef\xbb\xbf \n <ScRiPt>alert(1)</script>"),
    "xml called csv": ("a.csv", b"<?xml version='1.0'?><svg/>"),
    "program": ("a.png", b"MZ\x90\0" + b"\0" * 100),
    "elf": ("a.pdf", b"\x7fELF\2\1\1" + b"\0" * 100),
    "zip": ("a.zip", zipped("a.exe")),
    "zip called docx": ("a.docx", zipped("a.exe")),
    "half a zip": ("a.docx", DOCX[:60]),
    "document with macros": ("a.docx", MACROS),
    "old office": ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
    "bytes called text": ("a.txt", b"hello\0world"),
    "script": ("run.sh", b"#!/bin/sh\nrm -rf /\n"),
    "script without a name": ("", b"alert(1)"),
    "javascript": ("a.js", b"alert(1)"),
}


@pytest.mark.parametrize("name", TAKEN_FILES)
def test_a_kind_that_is_taken_is_told_by_its_content(name: str) -> None:
    filename, content, expected = TAKEN_FILES[name]
    assert sniff(io.BytesIO(content), filename).content_type == expected


@pytest.mark.parametrize("name", REFUSED_FILES)
def test_a_kind_that_is_not_taken_is_refused_whatever_it_is_called(name: str) -> None:
    filename, content = REFUSED_FILES[name]
    with pytest.raises(KindRefused, match="no SVG"):
        sniff(io.BytesIO(content), filename)


def test_nothing_that_can_run_scripts_is_ever_shown() -> None:
    shown = {kind.content_type for kind in TAKEN if may_be_shown(kind.content_type)}
    assert {kind.partition("/")[0] for kind in shown} == {"image", "audio", "video"}
    assert "image/svg+xml" not in shown


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("C:\\pictures\\me.PNG", "me.png"),
        ("page.html", "page.html.png"),
        ("", "file.png"),
        ("...", "file.png"),
        ("a\r\nSet-Cookie: b.png", "aSet-Cookie b.png"),
        ('quote".png', "quote.png"),
        ("é" * 300 + ".png", "é" * 150 + ".png"),
        ("photo\u202egnp.exe", "photognp.exe.png"),
    ],
)
def test_a_name_loses_its_tricks_and_gets_an_extension_that_fits(given: str, kept: str) -> None:
    assert clean_name(given, sniff(io.BytesIO(PNG), given)) == kept

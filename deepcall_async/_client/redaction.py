"""Secrets that a server says back, in whatever form: how they are found, and taken out.

A secret may come back as it was sent, escaped as JSON or as a URL are, several times over (a request that
is quoted in a reply), in base64, or in UTF-16. So it is looked for in the text, and in the text with its
escapes undone, as often as there are any. Where it shows only then, the string it stands in is kept
with its escapes undone.

What is shorter than `SHORTEST` may be anybody's word: a reply keeps it, a message of an error does not where
it stands alone. Digits, as of a user id, are taken out where they stand alone, and not where they are an
agent's id.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any

from deepcall_async._wire import STRICT

MASK = b"***"
SHORTEST = 6  # characters
_PIECE = 8  # so many of a secret's first characters are no coincidence
_CUT_PIECE = 4  # and so many, where the text itself says that it was cut
_DEPTH = 4  # times that escapes are undone

_U = rb"\\u[0-9a-fA-F]{4}"
_PERCENT = rb"%[0-9a-fA-F]{2}"
_ESCAPE = re.compile(  # each way begins with a character, by which they are found fast
    rb"%b(?:%b)*|%b(?:%b)*|\\x[0-9a-fA-F]{2}|\\U000[0-9a-fA-F]{5}|\\[\\\"/]" % (_U, _U, _PERCENT, _PERCENT)
)
_AGENTS_ID = "I"
_BEFORE_AN_ID = re.compile(rb'"I"\s*:\s*"?\Z')
_ELLIPSIS = (b"...", "…".encode())

_Masked = Callable[[bytes], bytes]


class Echo:
    """What is looked for: the forms of some secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._long = [secret.encode() for secret in secrets if len(secret) >= SHORTEST]
        self._short = [_alone(secret) for secret in secrets if len(secret) < SHORTEST]
        forms = {form for secret in self._long for form in _forms(secret) if len(form) >= SHORTEST}
        self._forms = sorted(forms, key=len, reverse=True)

    def struck(self, body: bytes) -> bytes:
        """A reply without the secrets; the very same if it has none."""
        text = _as_utf8(body)
        plain = self._masked(text)
        if _taken_out(plain, self._masked) is not plain:
            return _taken_out(self._rewritten(plain), self._masked)
        return body if plain is text else plain

    def redacted(self, text: str) -> str:
        """A message without the secrets, without the rest of one that was cut, and without short ones."""
        return _in_string(text, self._masked_with_pieces)

    def _masked(self, text: bytes) -> bytes:
        """Without the secrets that stand in a text as they are; the very same if there are none."""
        for form in self._forms:
            if text.rfind(form) >= 0:  # four times as fast as `in` and `find`, which seek from the front
                text = _without(form, text)
        return text

    def _masked_with_pieces(self, text: bytes) -> bytes:
        masked = text
        for secret in self._long:
            masked = _without_pieces(secret, masked)
        for word in self._short:
            masked = word.sub(MASK, masked)
        return self._masked(text if masked == text else masked)

    def _rewritten(self, body: bytes) -> bytes:
        """A reply with the secrets taken out of each of its strings; as it is, if it is no JSON."""
        try:
            cleaned = self._cleaned(json.loads(body, **STRICT))
            text = json.dumps(cleaned, separators=(",", ":"), ensure_ascii=False)
        except (ValueError, RecursionError):
            return body
        return text.encode("utf-8", "surrogatepass")

    def _cleaned(self, value: Any) -> Any:
        """A JSON value without the secrets."""
        if isinstance(value, dict):
            return {self._cleaned(key): self._cleaned_at(key, part) for key, part in value.items()}
        if isinstance(value, list):
            return [self._cleaned(part) for part in value]
        if isinstance(value, str):
            return _in_string(value, self._masked)
        if value is None or isinstance(value, bool):
            return value
        number = json.dumps(value)
        cleaned = _in_string(number, self._masked)
        return value if cleaned is number else int(cleaned) if cleaned.isdigit() else cleaned

    def _cleaned_at(self, key: str, value: Any) -> Any:
        return value if key == _AGENTS_ID and str(value).isdecimal() else self._cleaned(value)


def _in_string(text: str, masked: _Masked) -> str:
    """A string without what is masked; the very same if there is nothing."""
    sent = text.encode("utf-8", "surrogatepass")
    cleaned = _taken_out(sent, masked)
    return text if cleaned is sent else cleaned.decode("utf-8", "replace")


def _taken_out(text: bytes, masked: _Masked) -> bytes:
    """A text without what is masked in it, or in it with its escapes undone; the very same if nothing is."""
    view = text
    for _ in range(_DEPTH):
        clean = masked(view)
        text = text if clean is view else clean
        view = _undone(clean)
        if view is clean:
            return text
    clean = masked(view)
    return text if clean is view else clean


def _forms(plain: bytes) -> Iterator[bytes]:
    """A secret as it may stand in a text without escapes."""
    for form in (plain, _undone(plain), *_in_base64(plain)):
        yield form
        yield form.replace(b"+", b" ")  # read as a form of the web, in which a blank is sent as +
        yield form.replace(b"+", b"-").replace(b"/", b"_") if form is not plain else form


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """What it makes sure of in base64, wherever in the encoded text it begins."""
    for before in range(3):
        first, last = -(-8 * before // 6), 8 * (before + len(secret)) // 6
        yield b64encode(bytes(before) + secret)[first:last]


def _without(form: bytes, text: bytes) -> bytes:
    if not form.isdigit():
        return text.replace(form, MASK)
    number = (b"9" if form.strip(b"9") else b"8") * len(form)  # it may be one in JSON, and stays one

    def mask(found: re.Match[bytes]) -> bytes:
        before = text[max(0, found.start() - 20) : found.start()]
        is_alone = not (before[-1:].isdigit() or _BEFORE_AN_ID.search(before))
        return number if is_alone else form

    masked = re.sub(form + rb"(?![0-9])", mask, text)
    return text if masked == text else masked


def _without_pieces(secret: bytes, text: bytes) -> bytes:
    """A text without the secret, and without beginnings of it that are too long for a coincidence."""
    at = text.find(secret[:_CUT_PIECE])
    while at >= 0:
        end = at + _alike(secret, text[at : at + len(secret)])
        if end - at >= min(_PIECE, len(secret)) or text.startswith(_ELLIPSIS, end):
            text = text[:at] + MASK + text[end:]
            end = at + len(MASK)
        at = text.find(secret[:_CUT_PIECE], end)
    return text


def _alike(one: bytes, other: bytes) -> int:
    """With how many bytes both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _alone(secret: str) -> re.Pattern[bytes]:
    """What finds a short secret where it is no part of a word."""
    before = rb"(?<!\w)" if secret[0].isalnum() else b""
    behind = rb"(?!\w)" if secret[-1].isalnum() else b""
    return re.compile(before + re.escape(secret.encode()) + behind)


def _undone(text: bytes) -> bytes:
    """A text with its escapes undone, once; the very same if it has none."""
    if text.rfind(b"\\") < 0 and text.rfind(b"%") < 0:
        return text
    undone = _ESCAPE.sub(_meant, text)
    return text if undone == text else undone


def _meant(escape: re.Match[bytes]) -> bytes:
    """What an escape stands for."""
    found = escape[0]
    if found[:1] == b"%":
        return bytes.fromhex(found.replace(b"%", b"").decode())
    if found[1:2] == b"u":
        meant: str = json.loads(b'"%b"' % found)  # which puts pairs of surrogates together
        return meant.encode("utf-8", "surrogatepass")
    kind, digits = found[1:2], found[2:]
    return chr(int(digits, 16)).encode("utf-8", "surrogatepass") if digits else kind


def _as_utf8(body: bytes) -> bytes:
    """A reply of another encoding that JSON may have, in UTF-8; the very same otherwise."""
    encoding = json.detect_encoding(body)
    if encoding.startswith("utf-8"):
        return body
    return body.decode(encoding, "replace").encode()

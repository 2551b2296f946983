"""Answers as the real server writes them: header set, ETag, error envelope, HTML pages."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from email.utils import formatdate

from attrs import evolve, frozen

from ._fault import Fault
from ._request import Refused

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS, PATCH, DELETE",
    "Access-Control-Allow-Headers": "X-Requested-With, content-type",
    "Access-Control-Allow-Credentials": "true",
    "Vary": "Origin",
    "Strict-Transport-Security": "max-age=15724800; includeSubDomains",
}


@frozen
class Answer:
    """An HTTP answer: status, body, and the headers that are not the transport's business."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def entity_tag(body: bytes) -> str:
    """The ETag an Express server gives a body: its length in hex, and 27 characters of its SHA-1."""
    digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
    return f'W/"{len(body):x}-{digest[:27]}"'


def api_answer(body: bytes, now: float, status: int = 200) -> Answer:
    """An answer of the application: JSON with all its headers."""
    headers = {"Date": formatdate(now, usegmt=True), "Content-Type": JSON, "ETag": entity_tag(body)}
    return Answer(status, body, HEADERS | headers)


def error_answer(refused: Refused, now: float, status: int) -> Answer:
    """An error of the API in its envelope."""
    envelope = {"status": "error", "message": refused.message, "code": refused.code}
    return api_answer(json.dumps(envelope, separators=(",", ":")).encode(), now, status)


def not_found(method: str, path: str, now: float) -> Answer:
    """Express's page for a path it does not have."""
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>Cannot {method} {html.escape(path)}</pre>
</body>
</html>
"""
    headers = {
        "Date": formatdate(now, usegmt=True),
        "Content-Type": HTML,
        "Content-Security-Policy": "default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(404, page.encode(), HEADERS | headers)


def spoil(answer: Answer, fault: Fault, now: float) -> Answer:
    """The answer with what a fault says in place of its own."""
    if fault.body is not None:
        is_html = fault.body.lstrip().startswith(b"<")
        headers = {"Date": formatdate(now, usegmt=True), "Content-Type": HTML if is_html else JSON}
        answer = Answer(200, fault.body, headers)
    headers = {**answer.headers, **fault.headers}
    if fault.content_type is not None:
        headers["Content-Type"] = fault.content_type
    return evolve(answer, status=fault.status or answer.status, headers=headers)

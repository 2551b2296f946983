"""Changes to an input that keep it JSON: bytes changed at random hardly ever get past the parser."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

from .corpus import MOST, SEPARATOR, replies

NOW = 1_731_759_565
SECRET = "sess/4fKq+9wZ"
VALUES: list[Any] = [
    *(None, True, False, 0, 1, 2, 60, -1, 1.5, 2**53, 10**20),
    *(NOW, NOW + 1, NOW - 60, NOW * 1000, 32_503_680_000),
    *("", "No", "Web", "0", "7", "1e400", "nan", "0:01:00", "\ud800", "\x00", "success", "x" * 70),
    *([], {}, [0, 0, 0], ["0", "00", "05"], ["1", "00", "00"], [1_000_000, 0, 0], [1, 2], [-1, 0, 0]),
    *({"type": "Web", "duration": ["0", "01", "00"]}, {"duration": 5}, {"reason": "Tea"}),
    [[[]]],
    *(SECRET, f"ssid={SECRET}&", "sess\\/4fKq\\u002b9wZ", "sess%2f4fKq%2B9wZ", "c2Vzcy80ZktxKzl3Wg=="),
]  # fmt: skip
ROW_KEYS = [
    "nm",
    "I",
    "IsOcc",
    "l",
    "ml",
    "liC",
    "br",
    "tt",
    "tC",
    "ataT",
    "avT",
    "avD",
    "mic_perm",
    "sip_status",
]
KEYS = [
    *ROW_KEYS,
    *[
        "type",
        "duration",
        "reason",
        "pr",
        "oCA",
        "oBA",
        "lA",
        "Dia",
        "Ring",
        "sip",
        "mic",
        "message",
        "status",
        "code",
        "errCode",
        "x",
    ],
]
TRIPLE = re.compile(rb'\["(\d{1,7})","([0-5]\d)","([0-5]\d)"\]')
Place = tuple[Any, Any]  # an object or a list, and a key or an index in it


def places(value: Any) -> Iterator[Place]:
    """Every place in a JSON value that holds another."""
    if isinstance(value, dict | list):
        for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from places(part)


def mutate(data: bytes, random: Random) -> bytes:
    """The input with one of its replies changed, repeated, left out or moved; as it is where none is JSON."""
    bodies = replies(data)
    at = random.randrange(len(bodies))
    match random.randrange(8):
        case 0 if len(bodies) < MOST:
            bodies.insert(at, bodies[at])
        case 1 if len(bodies) > 1:
            del bodies[at]
        case 2:
            random.shuffle(bodies)
        case 3 if len(bodies) < MOST:
            bodies.append(ticked(bodies[-1], random.choice([1, 2, 5, 60, 3600])))
        case 4 if len(bodies) < MOST:
            bodies.insert(at + 1, changed(bodies[at], random))
        case _:
            bodies[at] = changed(bodies[at], random)
    return SEPARATOR.join(bodies)


def mutate_lines(data: bytes, random: Random) -> bytes:
    """A recording with one of its lines changed, repeated, left out or moved; often it is the reply in it."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    match random.randrange(6):
        case 0:
            return shuffle_lines(data, random)
        case 1:
            lines[at] = changed(lines[at], random)
        case _:
            lines[at] = with_reply_changed(lines[at], random)
    return b"\n".join(lines)


def shuffle_lines(data: bytes, random: Random) -> bytes:
    """A text with one of its lines repeated, left out or put in another's place."""
    lines = data.split(b"\n")
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(3):
        case 0:
            lines.insert(other, lines[at])
        case 1:
            del lines[at]
        case _:
            lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def with_reply_changed(line: bytes, random: Random) -> bytes:
    """A line of a recording with its reply changed, or some seconds later; itself where it holds none."""
    with suppress(ValueError, RecursionError, TypeError, KeyError, AttributeError):
        entry = json.loads(line)
        body = entry["body"].encode()
        by = random.choice([0, 0, 1, 5, 60, 3600])
        entry["body"] = (ticked(body, by) if by else changed(body, random)).decode()
        return json.dumps(entry).encode()
    return line


def changed(body: bytes, random: Random) -> bytes:
    """A reply with one to three of its values changed; itself where it is no JSON."""
    reply: Any = body
    with suppress(ValueError, RecursionError):
        reply = json.loads(body)
        for _ in range(random.randint(1, 3)):
            change(reply, random)
        return json.dumps(reply, separators=(",", ":")).encode()
    return body


def change(reply: Any, random: Random) -> None:
    """Change one value in place: another in its stead, one key or element more, one less."""
    found = list(places(reply))
    if not found:
        return
    holder, key = random.choice(found)
    value = random.choice([*VALUES, copy.deepcopy(holder[key]), pick(found, random)])
    match random.randrange(6):
        case 0 if isinstance(holder, dict):
            holder[random.choice(KEYS)] = value
        case 0:
            holder.insert(key, value)
        case 1:
            del holder[key]
        case 2 if isinstance(holder[key], int):
            holder[key] += random.choice([-1, 1, 2, 60])
        case _:
            holder[key] = value


def pick(found: list[Place], random: Random) -> Any:
    """A copy of the value at another place."""
    holder, key = random.choice(found)
    return copy.deepcopy(holder[key])


def ticked(body: bytes, by: int) -> bytes:
    """A reply so many seconds later: every elapsed time in its text has grown, nothing else is touched."""

    def grown(found: re.Match[bytes]) -> bytes:
        hours, minutes, seconds = map(int, found.groups())
        total = hours * 3600 + minutes * 60 + seconds + by
        return b'["%d","%02d","%02d"]' % (total // 3600, total // 60 % 60, total % 60)

    return TRIPLE.sub(grown, body)

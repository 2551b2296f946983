"""What is wrong with the body of an answer: its JSON, its envelope, its rows, its totals, its clock."""

from __future__ import annotations

import json
from typing import Any

from deepcall_async._inference.plausibility import EMPTIED, LOGINS, NO_ROWS, OLDER, SHIFTED
from deepcall_async._model.errors import ReplyError
from deepcall_async._wire.rows import MOST_ROWS
from tests.fake_server import START, floor, http, row

from .fault import (
    BODY,
    DATE,
    MESSAGE,
    ROWS,
    TOTALS,
    Table,
    fails,
    harmless,
    is_held,
    message,
    rows,
    spoils,
    spoilt,
    team,
)

HTML = "<html><body>Sign in</body></html>"
HOUR = 3600
LONE = json.dumps("a\ud800\udc00b\ud800c").encode()

DATES = (
    "Fri, 31 Dec 9999 23:59:59 -2300",
    "Fri, 01 Jan 0100 00:00:00 GMT",
    "Sat, 99 Nov 2024 12:19:25 GMT",
    "soon",
)


def an_hour_ago() -> list[dict[str, Any]]:
    """The team when nobody was on a call or a break yet."""
    return [row(n, now=START - HOUR, since=START - HOUR - 60 * n, logged_in=n != 2) for n in range(1, 6)]


JSON: Table = {
    "HTML in 200": fails(ReplyError, "HTML", http(HTML)),
    "cut within the JSON": fails(ReplyError, "not JSON", http(BODY[:-40])),
    "invalid UTF-8": fails(ReplyError, "not JSON", http(BODY.replace(b"Agent 1", b"Agent \xff"))),
    "a control character in a name": fails(
        ReplyError, "not JSON", http(BODY.replace(b"Agent 1", b"Agent \x00"))
    ),
    "NaN": fails(ReplyError, "NaN", http(BODY.replace(b'"lA":4', b'"lA":NaN'))),
    "Infinity": fails(ReplyError, "Infinity", http(BODY.replace(b'"lA":4', b'"lA":-Infinity'))),
    "a nesting bomb": fails(
        ReplyError,
        "nested",
        {"of lists": http(b"[" * 200_000), "of objects": http(b'{"a":' * 200_000)},
    ),
    "a number without an end": fails(ReplyError, "", http(b'{"code":' + b"9" * 100_000 + b"}")),
    "two replies in one": fails(ReplyError, "not JSON", http(BODY + BODY)),
    "a byte order mark": harmless(http(b"\xef\xbb\xbf" + BODY)),
    "UTF-16": harmless(http(BODY.decode().encode("utf-16"))),
    "blanks around": harmless(http(b"\n \t" + BODY + b"\n")),
    "a key twice": harmless(
        {
            "in the envelope": http(b'{"code":1014,' + BODY[1:]),
            "in a row": http(BODY.replace(b'"I":"5"', b'"I":"1","I":"5"')),
        }
    ),
}

ENVELOPES: Table = {
    "a list": fails(ReplyError, "expected an object", http("[]")),
    "null": fails(ReplyError, "expected an object", http("null")),
    "an empty object": fails(ReplyError, "no answer of the API", http("{}")),
    "message is a string": fails(ReplyError, "message", message("Invalid token")),
    "message is null": fails(ReplyError, "message", message(None)),
    "message is a list": fails(ReplyError, "message", message([])),
    "pr is missing": fails(ReplyError, "message.pr", message({"lA": 4})),
    "pr is a string": fails(ReplyError, "message.pr", message({**MESSAGE, "pr": "No"})),
    "pr is a number": fails(ReplyError, "message.pr", message({**MESSAGE, "pr": 5})),
    "pr is an object": fails(ReplyError, "message.pr", message({**MESSAGE, "pr": {"0": ROWS[0]}})),
    "no rows, while the totals count some": is_held(
        {
            f"pr is {text}": message({**MESSAGE, "pr": json.loads(text)}, date=DATE)
            for text in ("null", "{}", "[]")
        },
        *(EMPTIED, NO_ROWS),
    ),
    "no rows, and totals that agree": is_held(
        message({"pr": [], "lA": 0, "oCA": 0, "oBA": 0}, date=DATE), EMPTIED
    ),
    "no data found (1012)": is_held(
        http('{"status":"error","message":"No data found","code":1012}', date=DATE), EMPTIED
    ),
}

PARTS: Table = {
    "a row that is no object": spoils(
        {repr(value): rows(value, *ROWS) for value in (None, 5, True, "No", [], [["nm", "Agent 1"]])},
        "message.pr[0]",
    ),
    "a row without its id": spoils(rows(*ROWS, {"nm": "nobody"}), "message.pr[5].I"),
    "an id twice": spoils(rows(*ROWS, {**ROWS[0], "l": "No"}), "message.pr[5].I"),
    "an agent's only row cannot be read": spoils(spoilt(avT="soon"), "message.pr[4].avT"),
    "no row can be read": fails(
        ReplyError, "most of the 5 rows", rows(*[{**row, "tC": -1} for row in ROWS], date=DATE)
    ),
    "most rows cannot be read": fails(
        ReplyError, "most of the 5 rows", rows(*[{**row, "tC": -1} for row in ROWS[:4]], ROWS[4])
    ),
    "three rows cannot be read": spoils(
        rows(*[{**row, "tC": -1} for row in ROWS[:3]], *ROWS[3:]),
        *[f"message.pr[{number}].tC" for number in range(3)],
    ),
    "more rows than any floor has": fails(
        ReplyError, "no floor has more", http(BODY.replace(b'"pr":[', b'"pr":[' + b"{}," * MOST_ROWS))
    ),
    "a nesting bomb in a row": spoils(
        http(BODY.replace(b'"nm":"Agent 5"', b'"nm":"Agent 5","zz":' + b"[" * 500 + b"]" * 500)),
        "message.pr[4].zz",
    ),
    "totals that are no numbers": spoils(
        message({**MESSAGE, "lA": [], "Ring": "many", "sip": -1}),
        "message.lA",
        "message.Ring",
        "message.sip",
    ),
    "totals that contradict the rows": is_held(message({**MESSAGE, "lA": 99}), LOGINS),
    "unknown keys": harmless(
        message({**MESSAGE, "shift": {"name": "late"}, "pr": [{**row, "skill": [1]} for row in ROWS]})
    ),
    "control characters in a name": harmless(spoilt(nm="\x00\x1b[2J\n\u202e"), "agent_updated"),
    "a lone surrogate in a name": harmless(http(BODY.replace(b'"Agent 5"', LONE)), "agent_updated"),
    "a name of 100 000 letters": harmless(spoilt(nm="x" * 100_000), "agent_updated"),
    "a login without its duration": harmless(spoilt(l={"type": "Web"})),
    "numbers as strings": harmless(rows(*ROWS[:2], {**ROWS[2], "tC": "7", "tt": "411"}, *ROWS[3:])),
}

CLOCKS: Table = {
    "the clock an hour back, for one reply": is_held(
        floor(*team(START + 10, ahead=-HOUR), **TOTALS), OLDER, SHIFTED
    ),
    "the clock an hour ahead, for one reply": is_held(
        floor(*team(START + 10, ahead=HOUR), **TOTALS), SHIFTED
    ),
    "the clock alone an hour ahead, for one reply": harmless(
        floor(*team(START + HOUR), **TOTALS), is_next_held=True
    ),
    "the last reply again": harmless(floor(*team(), **TOTALS)),
    "a reply a few seconds old": is_held(floor(*team(START - 4), **TOTALS), OLDER),
    "a reply of an hour ago": is_held(floor(*an_hour_ago()), OLDER),
    "one row's clock in the year 2999": harmless(spoilt(avD=32_500_000_000)),
    "a Date header that is none": harmless({text: http(BODY, date=text) for text in DATES}),
}

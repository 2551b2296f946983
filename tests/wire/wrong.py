"""Every key of a row, and whatever is none of its forms."""

from __future__ import annotations

from typing import Any

LIST, OBJECT, NUMBER, TRUE = ["x"], {"x": 1}, 7, True

WRONG: dict[str, list[Any]] = {
    "I": [None, "", "  ", 7.5, True, [], {}, LIST, OBJECT],
    "nm": [TRUE, False, [], {}, LIST, OBJECT],
    "IsOcc": [-1, 2, 0.5, "No", "true", [], {}, LIST, OBJECT],
    "l": [NUMBER, 7.5, TRUE, LIST],
    "ml": [NUMBER, 7.5, TRUE, LIST],
    "tt": [-1, -0.5, "x", "1e400", 9e14, TRUE, False, [], {}, LIST, OBJECT],
    "tC": [-1, 1.5, "x", "1_0", TRUE, False, [], {}, LIST, OBJECT],
    "ataT": [NUMBER, 7.5, "No", "0:0:1", TRUE, {}, OBJECT, LIST, [1, 2], [1, 2, 3, 4], [0, 0, -1]],
    "avT": [NUMBER, 7.5, "No", "0:0:1", TRUE, {}, OBJECT, LIST, [1, 2], [1, 2, 3, 4], [0, 0, 1.5]],
    "avD": [-1, 1.5, "2024-11-16", 1731758400000, 10**400, TRUE, [], {}, LIST, OBJECT],
    "mic_perm": [-1, 2, 0.5, "granted", [], {}, LIST, OBJECT],
    "sip_status": [TRUE, False, [], {}, LIST, OBJECT],
}  # fmt: skip
DURATIONS: list[Any] = [
    "x",
    7,
    ["1"],
    ["1", "00"],
    [1, 2, 3, 4],
    [0, 0, -1],
    [0, 0, 1.5],
    [10**9, 0, 0],
]  # of a login
TYPES: list[Any] = [True, [], {}, ["Web"]]  # of a login

"""The envelope: which answers are a success, which are the API's error, and which cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deepcall_async import (
    AgentErrorCode,
    ApiError,
    AuthenticationError,
    FloorTotals,
    ReplyError,
    ServerBusy,
    UnknownGroup,
)
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.envelope import read_error

from .replies import NOW, as_bytes, decode, envelope, message, reply, row

GOOD = reply(row())
TEXT = GOOD.decode()


def error_reply(code: Any = 1014, **changes: Any) -> bytes:
    plain = {"status": "error", "message": "Invalid token", "code": code}
    return as_bytes({key: value for key, value in {**plain, **changes}.items() if value is not ...})


# What is a success, though it may not look like one.
SUCCESSES = {
    "as the server writes it": envelope(),
    "code as a string": envelope(code="200"),
    "code missing": envelope(code=...),
    "code null": envelope(code=None),
    "code that is no number": envelope(code="OK"),
    "code of no table": envelope(code=0),
    "status in capitals": envelope(status="SUCCESS"),
    "status missing, code 200": envelope(status=...),
    "status null, code 200 as a string": envelope(status=None, code="200"),
    "more beside it": envelope(took=5, errCode=None),
}

# What is the API's error: the body, its class, its code, its words.
ERRORS: dict[str, tuple[bytes, type[ApiError], int | None, str]] = {
    "as documented": (error_reply(), AuthenticationError, 1014, "Invalid token"),
    "code as a string": (error_reply("1014"), AuthenticationError, 1014, "Invalid token"),
    "errCode": (error_reply(..., errCode=1014), AuthenticationError, 1014, "Invalid token"),
    "errCode as a string": (error_reply(..., errCode="1014"), AuthenticationError, 1014, "Invalid token"),
    "errCode beside a null": (error_reply(None, errCode=1014), AuthenticationError, 1014, "Invalid token"),
    "in capitals": (error_reply(1006, status="ERROR"), UnknownGroup, 1006, "Invalid token"),
    "failed": (error_reply(..., status="failed"), ApiError, None, "Invalid token"),
    "no code": (error_reply(...), ApiError, None, "Invalid token"),
    "code zero": (error_reply(0), ApiError, 0, "Invalid token"),
    "code that is no number": (error_reply("E_AUTH"), ApiError, None, "Invalid token"),
    "code that is a list": (error_reply([1014]), ApiError, None, "Invalid token"),
    "a code of no table": (error_reply(77), ApiError, 77, "Invalid token"),
    "no status": (error_reply(status=...), AuthenticationError, 1014, "Invalid token"),
    "status null": (error_reply(status=None), AuthenticationError, 1014, "Invalid token"),
    "no status, and HTTP's code": (error_reply(500, status=...), ApiError, 500, "Invalid token"),
    "said to be a success": (error_reply(status="success"), AuthenticationError, 1014, "Invalid token"),
    "success with rows and a code": (as_bytes(envelope(code=1009)), ServerBusy, 1009, ""),
    "msg": (error_reply(message=..., msg="busy"), AuthenticationError, 1014, "busy"),
    "error": (error_reply(message="", error="busy"), AuthenticationError, 1014, "busy"),
    "no words": (error_reply(message=...), AuthenticationError, 1014, ""),
    "words in an object": (error_reply(message={"en": "no"}), AuthenticationError, 1014, "{'en': 'no'}"),
    "endless words": (error_reply(message="x" * 10_000), AuthenticationError, 1014, "x" * 200),
    "status that is true": (error_reply(..., status=True), ApiError, None, "Invalid token"),
    "status that is an object": (error_reply(status={}), AuthenticationError, 1014, "Invalid token"),
}

# What cannot be read: the body, and a word of the message.
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON but 0 bytes"),
    "blanks": (b" \r\n", "not JSON but 3 bytes"),
    "HTML": (b"<html><body>502 Bad Gateway</body></html>", "not JSON but HTML"),
    "HTML after blanks": (b"\n  <!DOCTYPE html>", "not JSON but HTML"),
    "text": (b"GODBLESSYOU", "not JSON but 11 bytes"),
    "invalid UTF-8": (GOOD.replace(b"Agent", b"Ag\xffnt"), "not JSON"),
    "Latin-1": (TEXT.replace("Agent", "Ágent").encode("latin-1"), "not JSON"),
    "a control character within a string": (GOOD.replace(b"Agent", b"Ag\x00nt"), "not JSON"),
    "NaN": (GOOD.replace(b'"lA": 0', b'"lA": NaN'), "NaN is not JSON"),
    "Infinity": (GOOD.replace(b'"lA": 0', b'"lA": Infinity'), "Infinity is not JSON"),
    "minus Infinity": (GOOD.replace(b'"lA": 0', b'"lA": -Infinity'), "-Infinity is not JSON"),
    "a number of too many digits": (GOOD.replace(b'"lA": 0', b'"lA": ' + b"9" * 10_000), "not JSON"),
    "two replies": (GOOD + GOOD, "not JSON"),
    "a comma too many": (GOOD.replace(b"}]", b"},]"), "not JSON"),
    "single quotes": (GOOD.replace(b'"', b"'"), "not JSON"),
    "a bomb of lists": (b"[" * 200_000, "nested too deeply"),
    "a bomb of objects": (b'{"a":' * 200_000, "nested too deeply"),
    "a list": (b"[]", "expected an object, got list"),
    "a list with a reply": (b"[" + GOOD + b"]", "expected an object, got list"),
    "null": (b"null", "expected an object, got NoneType"),
    "a string": (b'"success"', "expected an object, got str"),
    "a number": (b"200", "expected an object, got int"),
    "an empty object": (b"{}", "neither status nor code"),
    "neither status nor code": (as_bytes(envelope(status=..., code=...)), "neither status nor code"),
    "message is a string": (as_bytes(envelope(message="Invalid token")), "message: expected an object"),
    "message is null": (as_bytes(envelope(message=None)), "message: expected an object, got None"),
    "message is a list": (as_bytes(envelope(message=[row()])), "message: expected an object"),
    "message is missing": (as_bytes(envelope(message=...)), "message: expected an object, got None"),
    "message is elsewhere": (as_bytes(envelope(message=..., data=message(row()))), "message: "),
    "pr is missing": (reply(pr=...), "message.pr: expected a list, got nothing"),
    **{
        f"pr is {value!r}": (reply(pr=value), "message.pr: expected a list")
        for value in ("No", "", 5, 0, True, False, {"0": row()})
    },
}


@pytest.mark.parametrize("sent", SUCCESSES.values(), ids=SUCCESSES)
def test_a_success_is_read_however_its_status_and_code_are_written(sent: dict[str, Any]) -> None:
    assert decode_snapshot(as_bytes(sent)) == decode(row())


@pytest.mark.parametrize(("body", "kind", "code", "words"), ERRORS.values(), ids=ERRORS)
def test_an_error_in_any_envelope_is_raised_with_its_code_and_words(
    body: bytes, kind: type[ApiError], code: int | None, words: str
) -> None:
    with pytest.raises(ApiError) as raised:
        decode_snapshot(body)
    assert type(raised.value) is kind
    assert raised.value.code == code
    assert raised.value.message.startswith(words)
    assert len(raised.value.message) <= 200


@pytest.mark.parametrize("http_status", [200, 400, 401, 403, 404, 500, 502])
def test_an_error_carries_the_http_status_it_came_with(http_status: int) -> None:
    with pytest.raises(AuthenticationError) as decoded:
        decode_snapshot(error_reply(), http_status=http_status)
    with pytest.raises(AuthenticationError) as read:
        read_error(error_reply(), http_status)
    assert decoded.value.http_status == read.value.http_status == http_status


@pytest.mark.parametrize("code", AgentErrorCode, ids=lambda code: f"{code:d}")
def test_each_code_is_an_error_under_success_and_under_error_alike(code: AgentErrorCode) -> None:
    for status in ("error", "success"):
        for sent in (code.value, str(code.value)):
            body = error_reply(sent, status=status)
            if code is AgentErrorCode.NO_DATA_FOUND:
                assert decode_snapshot(body, date=NOW).agents == {}
                continue
            with pytest.raises(ApiError) as raised:
                decode_snapshot(body)
            assert raised.value.code == code


@pytest.mark.parametrize("sent", [1012, "1012"])
def test_no_data_found_is_an_empty_floor_and_no_error(sent: Any) -> None:
    snapshot = decode_snapshot(error_reply(sent, message="No data found"), date=NOW)
    assert snapshot.agents == {}
    assert snapshot.totals == FloorTotals()
    assert snapshot.server_time == NOW


@pytest.mark.parametrize(("body", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_a_reply_error_that_says_where_or_why(body: bytes, words: str) -> None:
    with pytest.raises(ReplyError) as raised:
        decode_snapshot(body, date=NOW)
    assert words in str(raised.value)
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize("body", [body for body, _ in UNREADABLE.values()], ids=UNREADABLE)
def test_a_bad_http_status_with_a_body_that_carries_no_error_is_left_to_the_status(body: bytes) -> None:
    read_error(body, 502)


def test_a_bad_http_status_with_a_success_in_the_body_is_left_to_the_status() -> None:
    for sent in SUCCESSES.values():
        read_error(as_bytes(sent), 500)


@pytest.mark.parametrize("rows", [None, {}, []], ids=repr)
def test_rows_that_are_null_or_an_empty_object_are_no_rows(rows: Any) -> None:
    snapshot = decode_snapshot(reply(pr=rows, lA=4), date=NOW)
    assert snapshot.agents == {}
    assert snapshot.totals.logged_in == 4


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + GOOD,
        b" \r\n\t" + GOOD + b"\n",
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-32"),
        json.dumps(json.loads(GOOD), indent=4).encode(),
        json.dumps(json.loads(GOOD), separators=(",", ":")).encode(),
    ],
    ids=["byte order mark", "blanks", "UTF-16", "UTF-16 without mark", "UTF-32", "indented", "dense"],
)
def test_a_reply_is_read_in_any_layout_and_encoding_of_json(body: bytes) -> None:
    assert decode_snapshot(body) == decode(row())


def test_the_last_of_two_equal_keys_of_the_envelope_counts() -> None:
    assert decode_snapshot(b'{"status": "error", ' + GOOD[1:]) == decode(row())


def test_a_message_of_the_server_is_kept_as_it_is_and_told_as_plain_text() -> None:
    words = "\x1b[31mतुम\ud800\n"
    with pytest.raises(ApiError) as raised:
        decode_snapshot(error_reply(message=words))
    assert raised.value.message == words
    assert all(character.isprintable() for character in str(raised.value))

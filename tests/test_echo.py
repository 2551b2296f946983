"""Secrets that a server says back: in whatever form and wherever, they are shown nowhere."""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import assume, given, strategies as st

from deepcall_async import DeepcallError, LiveFloor, RecordingFloor, SsidAuth, TokenAuth, snapshot_to_json
from deepcall_async._client.credentials import Auth
from deepcall_async._client.renewal import Grant
from deepcall_async._model.errors import api_error
from deepcall_async._wire.decoder import decode_snapshot

from .dump import dump
from .wire.replies import as_bytes, envelope, login, message, row

SSID = "sess/4fKq+9wZ/Lm28XyT=="  # base64, as the ids of sessions often are
HERE = "@here@"

# --- what a server may make of a secret --------------------------------------------------------------


def escaped(text: str) -> str:
    """Every character as JSON may escape it."""
    units = text.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def in_php(text: str) -> str:
    """As PHP writes a string of JSON."""
    return json.dumps(text)[1:-1].replace("/", "\\/")


def in_percent(text: str) -> str:
    """Every byte as a URL may escape it."""
    return "".join(f"%{byte:02x}" for byte in text.encode())


def alone(text: str) -> str:
    return text


# What stands between the quotes of a string of JSON.
WRITTEN: dict[str, Callable[[str], str]] = {
    "by Python": lambda text: json.dumps(text)[1:-1],
    "in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "by PHP": in_php,
    "escaped throughout": escaped,
    "escaped throughout in capitals": lambda text: escaped(text).upper().replace("\\U", "\\u"),
}
# What the string says.
SAID: dict[str, Callable[[str], str]] = {
    "as it is": alone,
    "for a URL": lambda text: quote(text, safe=""),
    "for a URL, in small letters": lambda text: re.sub("%..", lambda c: c[0].lower(), quote(text, safe="")),
    "for a form": quote_plus,
    "read as a form": unquote_plus,
    "as percent": in_percent,
    "as JSON": lambda text: json.dumps(text)[1:-1],
    "as JSON of PHP": in_php,
    "as Python shows it": lambda text: ascii(text)[1:-1],
    "as JSON in JSON": lambda text: in_php(in_php(text)),
    "as JSON in a URL": lambda text: quote(in_php(text)),
    "in base64": lambda text: b64encode(text.encode()).decode(),
    "in base64 behind a colon": lambda text: b64encode(f":{text}".encode()).decode(),
    "in base64 behind a user": lambda text: b64encode(f"u:{text}".encode()).decode(),
    "in base64 of URLs": lambda text: urlsafe_b64encode(b":" + text.encode()).decode(),
}


def good(**changes: Any) -> dict[str, Any]:
    return envelope(message=message(row("1", **changes), row("2"), lA=0))


# Where it may stand; "@here@" is the place.
PLACES: dict[str, Any] = {
    "a name": good(nm=HERE),
    "a name, with more of it": good(nm=f'x "{HERE}" y'),
    "a detail": good(l={**login(), "token": HERE}),
    "a reason": good(br={"reason": HERE}),
    "a key of a row": good(**{HERE: 1}),
    "an unknown key": good(session=[{"ssid": HERE}]),
    "a row that cannot be read": good(tC=HERE),
    "an id": good(I=f"id {HERE}"),
    "beside the rows": envelope(message=message(row("1"), row("2"), request={"ssid": HERE})),
    "beside the message": envelope(request=f"userId=1&ssid={HERE}&status=all"),
    "a total": envelope(message=message(row("1"), row("2"), oCA=HERE)),
    "an error": {"status": "error", "message": f"Invalid session {HERE}", "code": 1014},
    "an error of an object": {"status": "error", "message": {"ssid": HERE}, "code": HERE},
    "a success that is none": {"status": "success", "message": f"no {HERE}", "code": 200},
    "all there is": HERE,
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"]


def replies(place: str, text: str) -> Iterator[bytes]:
    """Replies with a text in a place: as the server writes JSON, and as others do."""
    for separators in ((",", ":"), (", ", ": ")):
        yield json.dumps(PLACES[place], separators=separators).replace(HERE, text).encode()


# --- what is shown -------------------------------------------------------------------------------------


def shown(auth: Auth, body: bytes) -> Iterator[str]:
    """All that is kept or told of a reply."""
    grant, file = Grant(auth), io.StringIO()
    recorder, floor = RecordingFloor(file), LiveFloor()
    for one in (recorder, floor):
        one.receive(as_bytes(envelope(message=message(row("1"), row("2")))))
        try:
            update = one.receive(body, strike=grant.strike_from)
        except DeepcallError as error:
            failure = grant.clean(error)
            yield dump(failure)
            update = one.fail(failure)
        yield f"{update!r} {update.snapshot!r}"
        yield json.dumps([update.checkpoint, snapshot_to_json(update.snapshot)], ensure_ascii=False)
    for line in file.getvalue().splitlines():
        yield line
        yield json.loads(line).get("body", "")


def readings(text: str, depth: int = 3) -> Iterator[str]:
    """A text, and what it says to those who undo its escapes."""
    yield text
    for undo in (unquote, unquote_plus, of_json) if depth else ():
        undone = undo(text)
        if undone != text:
            yield from readings(undone, depth - 1)


def of_json(text: str) -> str:
    """A text with the escapes of JSON and Python undone."""
    found = re.sub(r"\\([\"\\/])|\\x(..)|\\u(....)", lambda c: c[1] or chr(int(c[2] or c[3], 16)), text)
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cores(secret: str) -> list[str]:
    """What base64 shows of a secret wherever it stands: the whole of it but for a character at each end."""
    found = []
    for before in range(3):
        whole = b64encode(bytes(before) + secret.encode())
        core = whole[before + 1 :].rstrip(b"=")[:-1].decode()
        found += [core, core.replace("+", "-").replace("/", "_")]
    return found


def is_no_word_of_ours(secret: str, place: str) -> bool:
    """Whether nothing says the same by chance. (Hypothesis looks for words in the code under test.)"""
    innocent = SsidAuth("-" * 50)
    return not any(secret in text for body in replies(place, "@") for text in shown(innocent, body))


def assert_hidden(auth: Auth, secret: str, body: bytes) -> None:
    for text in shown(auth, body):
        for reading in readings(text):
            assert not any(form in reading for form in (secret, *cores(secret)))


LETTERS = st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from('/+="\\%&u0nx')
SECRETS = st.text(LETTERS, min_size=8, max_size=30) | st.text("0123456789", min_size=8, max_size=12)
ORDINARY = st.text("abcXYZ019/+=_-.", min_size=8, max_size=40)


@given(
    ORDINARY,
    st.sampled_from(sorted(PLACES)),
    st.sampled_from(sorted(WRITTEN)),
    st.sampled_from(sorted(SAID)),
    st.sampled_from(ENCODINGS),
)
def test_a_secret_that_a_server_says_back_is_shown_nowhere(
    secret: str, place: str, written: str, said: str, encoding: str
) -> None:
    assume(is_no_word_of_ours(secret, place))
    for body in replies(place, WRITTEN[written](SAID[said](secret))):
        assert_hidden(SsidAuth(secret), secret, body.decode().encode(encoding))


@given(SECRETS, st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(WRITTEN)))
def test_a_secret_of_any_letters_is_shown_nowhere(secret: str, place: str, written: str) -> None:
    assume(secret.isprintable() and is_no_word_of_ours(secret, place))
    for body in replies(place, WRITTEN[written](secret)):
        assert_hidden(TokenAuth("70212345", secret), secret, body)


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("written", WRITTEN)
def test_a_session_id_is_shown_nowhere_in_any_form(written: str, said: str) -> None:
    for place in PLACES:
        for body in replies(place, WRITTEN[written](SAID[said](SSID))):
            assert_hidden(SsidAuth(SSID), SSID, body)


@pytest.mark.parametrize("user_id", ["70212345", "99999999", "123456"])
@pytest.mark.parametrize("said", SAID)
def test_a_user_id_is_shown_nowhere_in_any_form(user_id: str, said: str) -> None:
    for place in PLACES:
        for body in replies(place, in_php(SAID[said](user_id))):
            assert_hidden(TokenAuth(user_id, "tok3nTok3nTok3nTok3n"), user_id, body)


@pytest.mark.parametrize("value", [70212345, -70212345, 70212345.0, 70212345.25, [70212345]])
def test_a_user_id_that_is_said_back_as_a_number_is_hidden_and_the_reply_can_be_read(value: Any) -> None:
    body = as_bytes(envelope(message=message(row("1"), row("2"), who=value, more="\\70212345\\")))
    grant = Grant(TokenAuth("70212345", "tok3nTok3nTok3nTok3n"))
    assert decode_snapshot(grant.strike_from(body)).agents.keys() == {"1", "2"}
    assert_hidden(TokenAuth("70212345", "tok3nTok3nTok3nTok3n"), "70212345", body)


# --- what is left as it is -------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_reply_without_the_secret_is_the_very_same(encoding: str) -> None:
    names = ["Asha", 'Jo "JJ"', "गीता \U0001f600", "98 %", "a\\b/c", "%41", "sess"]
    for dump_of in (json.dumps, lambda value: json.dumps(value, ensure_ascii=False)):
        rows = [row(str(number), nm=name) for number, name in enumerate(names)]
        body = dump_of(envelope(message=message(*rows))).encode(encoding)
        for auth in (SsidAuth(SSID), TokenAuth("70212345", "tok3nTok3nTok3nTok3n"), SsidAuth("a+b/c%41d")):
            assert Grant(auth).strike_from(body) is body


def test_only_the_string_that_hides_a_secret_is_written_anew() -> None:
    body = as_bytes(
        good(nm=in_php(SSID), zz=["%41", 'x\\"y', 1.0, 1e300, -0.0, None, True, 12345678901234567890])
    )
    assert decode_snapshot(Grant(SsidAuth(SSID)).strike_from(body)) == decode_snapshot(
        as_bytes(good(nm="***", zz=["%41", 'x\\"y', 1.0, 1e300, -0.0, None, True, 12345678901234567890]))
    )


def test_what_follows_a_number_that_is_longer_is_no_user_id() -> None:
    grant = Grant(TokenAuth("70212345", "tok3nTok3nTok3nTok3n"))
    for number in ("170212345", "702123450", "7021234"):
        body = as_bytes(envelope(message=message(row("1", nm=number, zz=int(number)))))
        assert grant.strike_from(body) is body


@pytest.mark.parametrize("gap", ["", " ", "\n  "])
@pytest.mark.parametrize("quoted", [70212345, "70212345"])
def test_an_agents_id_is_no_user_id(quoted: Any, gap: str) -> None:
    grant = Grant(TokenAuth("70212345", "tok3nTok3nTok3nTok3n"))
    rows = [row(quoted, nm="Jo \\ JJ"), row("2")]
    body = json.dumps(envelope(message=message(*rows)), separators=(",", f":{gap}")).encode()
    assert grant.strike_from(body) is body
    telling = body.replace(b'"lA"', b'"who":"\\u0037\\u0030212345","lA"')
    snapshot = decode_snapshot(grant.strike_from(telling))
    assert (list(snapshot.agents), snapshot.extra) == (["70212345", "2"], {"who": "99999999"})


def test_a_short_secret_may_be_anybodys_word_in_a_reply() -> None:
    body = as_bytes(good(nm="12 abcde", zz={"12": "12"}))
    assert Grant(TokenAuth("12", "abcde")).strike_from(body) is body


# --- messages ----------------------------------------------------------------------------------------


def said_of(secret: str, text: str) -> str:
    return Grant(SsidAuth(secret)).clean(api_error(9, text)).message


@pytest.mark.parametrize(
    "text", ["Invalid session", "Invalid session sess", "sessions are over: session sess/ions", "session..."]
)
def test_words_that_begin_as_a_secret_does_stay_readable(text: str) -> None:
    assert said_of(SSID, text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"no {SSID[:9]} here", "no *** here"),
        (f"no {SSID[:5]}... here", "no ***... here"),
        (f"no {SSID[:4]}…", "no ***…"),
        (f"no {quote(SSID[:12], safe='')}", "no ***"),
        (f"{SSID[:8]}{SSID}{SSID[:8]}", "*********"),
    ],
)
def test_a_piece_of_a_secret_that_is_no_coincidence_is_masked(text: str, left: str) -> None:
    assert said_of(SSID, text) == left


def test_a_short_secret_is_masked_in_a_message_where_it_stands_alone() -> None:
    assert said_of("id1", "id1 (id1): id12 is no kid1, 'id1'") == "*** (***): id12 is no kid1, '***'"


# --- the predictor ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", sorted(set(PLACES) - {"all there is"}))
def test_a_floor_that_strikes_reads_what_is_left_of_each_reply(place: str) -> None:
    """Also where the same is said back again and again, and the rest is as predicted."""
    grant, floor = Grant(SsidAuth(SSID)), LiveFloor()
    first = as_bytes(envelope(message=message(row("1"), row("2"))))
    bodies = [first, *replies(place, in_php(SSID)), *replies(place, SSID), first] * 2
    for body in bodies:
        try:
            expected = decode_snapshot(grant.strike_from(body))
        except DeepcallError as error:
            with pytest.raises(type(error), match=re.escape(str(error))):
                floor._predictor.decode(body, strike=grant.strike_from)
        else:
            assert floor._predictor.decode(body, strike=grant.strike_from) == expected


def test_what_was_harmless_is_looked_at_again_when_it_becomes_a_secret() -> None:
    """As when a reply tells the id of the session to come."""
    floor, body = LiveFloor(), next(replies("beside the rows", SSID))
    for ssid, told in (("another-session", SSID), (SSID, "***"), (SSID, "***")):
        update = floor.receive(body, strike=Grant(SsidAuth(ssid)).strike_from)
        assert update.snapshot.extra == {"request": {"ssid": told}}


def test_a_quiet_reply_is_not_looked_through() -> None:
    looked: list[bytes] = []

    def strike(body: bytes) -> bytes:
        looked.append(body)
        return body

    floor = LiveFloor()
    for second in range(5, 20):
        rows = [row(str(number), avT=["0", "00", f"{second:02}"]) for number in range(100)]
        rows[7]["tC"] = second // 10
        body = json.dumps(envelope(message=message(*rows)), separators=(",", ":")).encode()
        floor.receive(body, strike=strike)
    assert [len(text) > 1000 for text in looked] == [True, False]

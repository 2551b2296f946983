"""The tree of errors: what its head prints is what it is, and every error says who must do what."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
from collections.abc import Callable, Iterator

import pytest

from deepcall_async._model import errors
from deepcall_async._model.errors import (
    AgentErrorCode,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    InvalidRequest,
    PermissionDenied,
    ReplyError,
    RequestTimeout,
    ServerBusy,
    TransportError,
    UnexpectedStatus,
    UnknownGroup,
    api_error,
    describe_code,
)
from tests.project.source import public_names

# The table of the vendor's Agent page, as printed there.
AGENT_PAGE = {
    1501: "Data already in processing",
    1502: "Invalid filter value",
    1503: "Invalid role id",
    1504: "Invalid parent",
    1505: "Invalid group data",
    1506: "AgentId and parent could not be same",
    1507: "Invalid AgentID",
    1508: "Invalid status value",
    1509: "Invalid agentId",
    1510: "Invalid Destination",
    1511: "Working time format is invalid",
    1512: "Email already exists",
    1513: "Invalid type",
    1514: "Invalid mobile Number",
    1515: "Invalid Name",
    1516: "Invalid Did Number",
    1517: "Your agentid and your loginid must be same",
    1518: "Data could not be updated",
    1519: "Call Password must be Integer and Eight digit",
    1520: "You must be single field update",
    1521: "Please Provide Only Valid fields",
    1522: "You could not inserted your data. Please try again",
    1523: "Your agent information is already added",
    1524: "Invalid Action",
    1525: "Invalid Targetagent Id",
    1526: "Invalid Id",
    1527: "Invalid Type",
    1528: "Invalid Favorite Data",
    1529: "Invalid Domain",
    1530: "Invalid Agent Timing",
}
LIVE_PAGE = {1014: "Invalid token", 1006: "GroupId does not exist", 1015: "Permission denied"}
# Below 1500 the codes are shared by all modules; this is what each means to one who polls.
SHARED = {
    1000: InvalidRequest,
    1001: InvalidRequest,
    1002: InvalidRequest,
    1003: InvalidRequest,
    1004: InvalidRequest,
    1005: InvalidRequest,
    1006: UnknownGroup,
    1009: ServerBusy,
    1010: ServerBusy,
    1012: ApiError,
    1014: AuthenticationError,
    1015: PermissionDenied,
    1020: AuthenticationError,
    1032: ServerBusy,
    1039: AuthenticationError,
    1043: ApiError,
    1047: InvalidRequest,
    1501: ServerBusy,
}

ONE_OF_EACH: list[DeepcallError] = [
    DeepcallError("something"),
    ConfigurationError("interval must be at least 0.1 s"),
    TransportError("no connection"),
    RequestTimeout("no complete answer within 30 s"),
    UnexpectedStatus("the server answered 502", 502, retry_after=7.5),
    UnexpectedStatus("the server answered 404", 404),
    ReplyError("not JSON but HTML"),
    ReplyError("expected a list, got 5", path="message.pr"),
    *(api_error(code, "its own words", http_status=200) for code in AgentErrorCode),
    api_error(None, "no code"),
    api_error(77, "", http_status=500),
]


def tree(root: type[BaseException]) -> Iterator[tuple[str, str]]:
    """Every class below, with the name of its parent."""
    for child in root.__subclasses__():
        if child.__module__.startswith("deepcall_async"):
            yield child.__name__, root.__name__
            yield from tree(child)


def printed_tree() -> dict[str, tuple[str, str]]:
    """Name: parent and remark, as the head of the file prints them."""
    path = ["DeepcallError"]
    lines = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.fullmatch(r" {4}([│ ]*)[├└]── (\w+) +(\S.*)", line):
            depth = len(match[1]) // 4 + 1
            path[depth:] = [match[2]]
            lines[match[2]] = path[depth - 1], match[3]
    return lines


def codes_in(remark: str) -> set[int]:
    """The codes a line of the printed tree names: "1000-1005, 1047: the request is wrong"."""
    codes: set[int] = set()
    for first, last in re.findall(r"(\d{4})(?:-(\d{4}))?", remark):
        codes.update(range(int(first), int(last or first) + 1))
    return codes & set(AgentErrorCode)


def test_the_tree_printed_at_the_head_of_the_file_is_the_tree_of_the_classes() -> None:
    assert {name: parent for name, (parent, _) in printed_tree().items()} == dict(tree(DeepcallError))


def test_the_printed_tree_gives_each_code_to_the_class_it_raises() -> None:
    for name, (parent, remark) in printed_tree().items():
        if parent == "ApiError":
            assert codes_in(remark) == {
                code for code in AgentErrorCode if type(api_error(code, "")).__name__ == name
            }


@pytest.mark.parametrize(("code", "words"), {**AGENT_PAGE, **LIVE_PAGE}.items())
def test_every_code_of_the_vendors_pages_is_in_the_enum_with_the_vendors_words(code: int, words: str) -> None:
    assert AgentErrorCode(code).description == words  # type: ignore[call-arg]  # lookup by value
    assert describe_code(code) == words


def test_the_enum_has_the_codes_of_the_agent_page_and_the_shared_ones_and_no_others() -> None:
    assert set(AgentErrorCode) == set(AGENT_PAGE) | set(SHARED)
    assert len(AGENT_PAGE) == 30


@pytest.mark.parametrize("code", AgentErrorCode, ids=lambda code: f"{code:d}")
def test_every_code_raises_the_class_of_those_who_must_act(code: AgentErrorCode) -> None:
    error = api_error(code, "its own words", http_status=418)
    assert type(error) is SHARED.get(code, InvalidRequest)
    assert (error.code, error.message, error.http_status) == (code, "its own words", 418)


@pytest.mark.parametrize("code", AgentErrorCode, ids=lambda code: f"{code:d}")
def test_every_code_is_told_with_the_servers_words_the_vendors_meaning_and_what_to_do(
    code: AgentErrorCode,
) -> None:
    told = str(api_error(code, "its own words"))
    assert told.startswith(f"API error {code:d}: 'its own words' ({code.description}). ")
    assert told.endswith(api_error(code, "").advice)
    assert len(api_error(code, "").advice.split()) >= 5


def test_the_vendors_meaning_is_not_said_twice() -> None:
    assert str(api_error(1014, "Invalid Token")).startswith("API error 1014: 'Invalid Token'. Check ")


def test_an_error_without_code_or_words_says_so() -> None:
    assert str(api_error(None, "")).startswith("API error without a code: no message. ")
    assert str(api_error(77, "")).startswith("API error 77: no message. ")


@pytest.mark.parametrize("code", [None, 0, 77, 200, 1531, 2**53])
def test_a_code_the_table_does_not_have_is_a_plain_api_error(code: int | None) -> None:
    assert type(api_error(code, "x")) is ApiError
    assert describe_code(code) is None


@pytest.mark.parametrize("code", [1012, 1043])
def test_a_code_that_is_not_expected_here_is_not_said_to_be_unknown(code: int) -> None:
    assert "not in the vendor's table" not in str(api_error(code, "x"))
    assert "Agent/live" in str(api_error(code, "x"))


def test_whatever_the_server_says_is_told_as_plain_text() -> None:
    assert str(api_error(1009, "\x1b[31m\ud800\n\u202e")).isascii()


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=repr)
def test_every_error_formats_and_is_caught_as_one_of_ours(error: DeepcallError) -> None:
    try:
        raise error
    except DeepcallError as caught:
        text = "".join(traceback.format_exception(caught))
    assert str(error)
    assert str(error) in text
    assert repr(error).startswith(type(error).__name__)


def pickled(error: DeepcallError) -> DeepcallError:
    again: DeepcallError = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    return again


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=repr)
@pytest.mark.parametrize("send", [pickled, copy.copy, copy.deepcopy])
def test_every_error_can_be_sent_to_another_process(
    error: DeepcallError, send: Callable[[DeepcallError], DeepcallError]
) -> None:
    again = send(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert (again.is_transient, again.ends_stream) == (error.is_transient, error.ends_stream)


@pytest.mark.parametrize("name", [DeepcallError.__name__, *dict(tree(DeepcallError))])
def test_every_class_is_public_and_says_what_it_means(name: str) -> None:

    assert name in public_names()
    assert getattr(errors, name).__doc__


@pytest.mark.parametrize(
    ("kinds", "is_transient", "ends_stream"),
    [
        ((TransportError, RequestTimeout, ReplyError, ServerBusy), True, False),
        (
            (ConfigurationError, AuthenticationError, PermissionDenied, UnknownGroup, InvalidRequest),
            False,
            True,
        ),
        ((DeepcallError, ApiError), False, False),
    ],
)
def test_an_error_says_whether_asking_again_can_help_and_whether_a_person_must_act(
    kinds: tuple[type[DeepcallError], ...], is_transient: bool, ends_stream: bool
) -> None:
    for kind in kinds:
        assert (kind.is_transient, kind.ends_stream) == (is_transient, ends_stream)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
def test_a_status_that_passes_is_worth_asking_again(status: int) -> None:
    assert UnexpectedStatus("x", status).is_transient


@pytest.mark.parametrize("status", [100, 204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 413, 418])
def test_a_status_that_stays_is_not_worth_asking_again(status: int) -> None:
    assert not UnexpectedStatus("x", status).is_transient


def test_an_error_of_a_reply_says_where() -> None:
    error = ReplyError("expected a list, got 5", path="message.pr")
    assert str(error) == "message.pr: expected a list, got 5"
    assert error.path == "message.pr"
    assert ReplyError("not JSON").path == ""


def test_the_builtin_families_are_kept_for_those_who_catch_them() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(RequestTimeout, TimeoutError)

"""Every error this package raises on purpose, as one tree.

    DeepcallError
    ├── ConfigurationError    the caller's settings or arguments are wrong: fix them
    ├── TransportError        no usable answer came: the network or a gateway
    │   ├── RequestTimeout        it took longer than `timeout`
    │   └── UnexpectedStatus      an HTTP status without a readable API answer
    ├── ReplyError            an answer came that cannot be read as documented
    └── ApiError              the API itself said no, with a code
        ├── AuthenticationError   1014, 1020, 1039: credentials, or the account
        ├── PermissionDenied      1015: an admin must grant the right
        ├── UnknownGroup          1006: the group id is wrong
        ├── InvalidRequest        1000-1005, 1047, 1502-1530: the request is wrong
        └── ServerBusy            1009, 1010, 1032, 1501: wait and ask again

Two questions decide what a poller does with an error, and each error answers both:
`is_transient` (would the same request, sent again soon, have a chance?) and
`ends_stream` (must a person act before any further poll can succeed?).
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, Self, TypeVar


class AgentErrorCode(IntEnum):
    """The codes the Agent endpoints answer with, and the vendor's words for each.

    Wire: 1501-1530 documented on the Agent page; those below 1500 are shared by
    all modules and documented on the pages of several. A 15xx code means this
    only for the Agent endpoints: other modules give the same numbers other meanings.
    """

    description: str

    def __new__(cls, code: int, description: str) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member

    INVALID_PARAMETERS = 1000, "Invalid parameters, or authentication invalid"
    INVALID_DATA_TYPE = 1001, "Invalid data type"
    USER_ID_MISSING = 1002, "userId not provided"
    UNKNOWN_AGENT_ID = 1003, "AgentId does not exist"
    FILE_NOT_FOUND = 1004, "File not found"
    INVALID_CONTACT_NUMBER = 1005, "Invalid contact number"
    UNKNOWN_GROUP_ID = 1006, "GroupId does not exist"
    SOMETHING_WENT_WRONG = 1009, "Something went wrong"
    DATABASE_CONNECTION = 1010, "Database connection error"
    NO_DATA_FOUND = 1012, "No data found"
    INVALID_TOKEN = 1014, "Invalid token"
    PERMISSION_DENIED = 1015, "Permission denied"
    TOKEN_MISSING = 1020, "Token not found"
    INTERNAL_SERVER_ERROR = 1032, "Internal server error"
    ACCOUNT_SUSPENDED = 1039, "User account suspended"
    AGENT_NOT_LOGGED_IN = 1043, "Agent is not logged in"
    MALFORMED_BODY = 1047, "Request body empty or malformed"
    ALREADY_IN_PROCESSING = 1501, "Data already in processing"
    INVALID_FILTER = 1502, "Invalid filter value"
    INVALID_ROLE_ID = 1503, "Invalid role id"
    INVALID_PARENT = 1504, "Invalid parent"
    INVALID_GROUP_DATA = 1505, "Invalid group data"
    AGENT_IS_OWN_PARENT = 1506, "AgentId and parent could not be same"
    INVALID_AGENT_ID_1507 = 1507, "Invalid AgentID"
    INVALID_STATUS = 1508, "Invalid status value"
    INVALID_AGENT_ID_1509 = 1509, "Invalid agentId"
    INVALID_DESTINATION = 1510, "Invalid Destination"
    INVALID_WORKING_TIME = 1511, "Working time format is invalid"
    EMAIL_EXISTS = 1512, "Email already exists"
    INVALID_TYPE_1513 = 1513, "Invalid type"
    INVALID_MOBILE_NUMBER = 1514, "Invalid mobile Number"
    INVALID_NAME = 1515, "Invalid Name"
    INVALID_DID_NUMBER = 1516, "Invalid Did Number"
    AGENT_AND_LOGIN_ID_DIFFER = 1517, "Your agentid and your loginid must be same"
    NOT_UPDATED = 1518, "Data could not be updated"
    INVALID_CALL_PASSWORD = 1519, "Call Password must be Integer and Eight digit"
    SINGLE_FIELD_UPDATE = 1520, "You must be single field update"
    INVALID_FIELDS = 1521, "Please Provide Only Valid fields"
    NOT_INSERTED = 1522, "You could not inserted your data. Please try again"
    AGENT_EXISTS = 1523, "Your agent information is already added"
    INVALID_ACTION = 1524, "Invalid Action"
    INVALID_TARGET_AGENT_ID = 1525, "Invalid Targetagent Id"
    INVALID_ID = 1526, "Invalid Id"
    INVALID_TYPE_1527 = 1527, "Invalid Type"
    INVALID_FAVORITE = 1528, "Invalid Favorite Data"
    INVALID_DOMAIN = 1529, "Invalid Domain"
    INVALID_TIMING = 1530, "Invalid Agent Timing"


class DeepcallError(Exception):
    """Base of all errors of this package.

    `is_transient`: the same request may succeed if sent again soon.
    `ends_stream`: polling on is pointless until a person acts; a stream raises it.
    `retry_after`: seconds the server asked to be left alone for, None when it did not.
    """

    is_transient: bool = False
    ends_stream: bool = False
    retry_after: float | None = None


class ConfigurationError(DeepcallError, ValueError):
    """A setting or argument is wrong; nothing was sent. The message says what to change."""

    ends_stream = True


class TransportError(DeepcallError):
    """No usable answer came: refused, reset, cut short, too large, or not HTTP."""

    is_transient = True


class RequestTimeout(TransportError, TimeoutError):
    """The whole exchange, body included, took longer than the session's `timeout`."""


class UnexpectedStatus(TransportError):
    """An HTTP status other than 2xx without a readable API answer in the body.

    `status` is the HTTP status. 408, 425, 429 and 5xx are worth a retry, others are not.
    """

    def __init__(self, message: str, status: int, *, retry_after: float | None = None) -> None:
        super().__init__(message, status)
        self.status = status
        self.retry_after = retry_after
        self.is_transient: bool = status in (408, 425, 429) or status >= 500

    def __str__(self) -> str:
        return str(self.args[0])


class ReplyError(DeepcallError):
    """An answer that cannot be read as documented. `path` says where, e.g. ``message.pr[3].avT``."""

    is_transient = True

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


class ApiError(DeepcallError):
    """The API answered with an error. Instances are made by `api_error`.

    `code` is the API's code (see `AgentErrorCode`), None when it sent none that is a
    number; `message` its own words; `http_status` the HTTP status they came with, None
    when not known; `advice` what to do about it.
    """

    advice: ClassVar[str] = "This is no answer that Agent/live is documented to give: go by the message."

    def __init__(self, code: int | None, message: str, *, http_status: int | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.http_status = http_status

    def __str__(self) -> str:
        known = describe_code(self.code)
        code = "without a code" if self.code is None else str(self.code)
        said = repr(self.message) if self.message else "no message"
        meaning = f" ({known})" if known and known.lower() != self.message.lower() else ""
        return f"API error {code}: {said}{meaning}. {self.advice}"


class AuthenticationError(ApiError):
    """The credentials were refused (1014, 1020), or the account is suspended (1039)."""

    ends_stream = True
    advice = (
        "Check the ssid, or the userId and token, and renew them if they have expired; "
        "a suspended account must be settled with the provider."
    )


class PermissionDenied(ApiError):
    """The user may not see live agents (1015)."""

    ends_stream = True
    advice = "Ask an admin of the account for the permission to view agents (VIEW_AGENTS)."


class UnknownGroup(ApiError):
    """The group id does not exist (1006)."""

    ends_stream = True
    advice = "Check group_id, or leave it out."


class InvalidRequest(ApiError):
    """The server calls the request itself invalid: parameters, filter or body."""

    ends_stream = True
    advice = "Check group_id, status and filters; code 1000 can also hide bad credentials."


class ServerBusy(ApiError):
    """A passing fault of the server (1009, 1010, 1032, 1501)."""

    is_transient = True
    advice = "Nothing to do: the request is sent again after a short wait."


_CLASS_BY_CODE: dict[int, type[ApiError]] = {
    **dict.fromkeys((1014, 1020, 1039), AuthenticationError),
    **dict.fromkeys((1000, 1001, 1002, 1003, 1004, 1005, 1047), InvalidRequest),
    **dict.fromkeys(range(1502, 1531), InvalidRequest),
    **dict.fromkeys((1009, 1010, 1032, 1501), ServerBusy),
    1015: PermissionDenied,
    1006: UnknownGroup,
}


def api_error(code: int | None, message: str, *, http_status: int | None = None) -> ApiError:
    """The typed error for an API code; a code the table does not have gives a plain `ApiError`."""
    error_class = ApiError if code is None else _CLASS_BY_CODE.get(code, ApiError)
    return error_class(code, message, http_status=http_status)


def describe_code(code: int | None) -> str | None:
    """The vendor's words for a code, None for one that is not in the table."""
    try:
        return AgentErrorCode(code).description  # type: ignore[call-arg, arg-type]  # lookup by value
    except ValueError:
        return None


_Exception = TypeVar("_Exception", bound=BaseException)


def bare(error: _Exception) -> _Exception:
    """The error without traceback and context: their frames hold replies, and memory."""
    error.__context__ = None
    return error.with_traceback(None)

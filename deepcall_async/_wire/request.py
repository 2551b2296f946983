"""What is asked: the parameters of a request, checked before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from deepcall_async._model import ConfigurationError, check_type


@frozen
class Request:
    """The parameters of a request: the end of its JSON object, and what tells its replies apart.

    is_narrowed: it asks for some of the account's agents only.
    """

    tail: bytes
    view: str
    is_narrowed: bool = False


def live_request(
    *,
    group_id: str | int | None = None,
    status: str = "all",
    detail: bool = False,
    filters: Iterable[Mapping[str, Any]] = (),
) -> Request:
    """Check the parameters. `status` is always sent: which one the server assumes is not documented."""
    if status not in ("all", "login"):
        raise ConfigurationError(f'status must be "all" or "login", got {status!r}')
    check_type("detail", detail, bool)
    parameters: dict[str, Any] = {"status": status}
    if group_id is not None:
        check_type("group_id", group_id, str, int)
        if not str(group_id).strip():
            raise ConfigurationError("group_id must not be empty: leave it out for all groups")
        parameters["groupid"] = str(group_id)
    objects = _filter_list(filters)
    if objects:
        parameters["filter"] = objects
    if detail:
        parameters["A"] = 1
    view, is_narrowed = (
        json.dumps(parameters, sort_keys=True),
        bool(parameters.keys() & {"groupid", "filter"}),
    )
    return Request(json.dumps(parameters).encode()[1:], view, is_narrowed)


def _filter_list(filters: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The filters as a list of dicts that JSON can hold."""
    problem = "filters must be a list of JSON objects, like [{...}]"
    if isinstance(filters, str | bytes | Mapping) or not isinstance(filters, Iterable):
        raise ConfigurationError(f"{problem}, got {type(filters).__name__}")
    objects = list(filters)
    if not all(isinstance(entry, Mapping) for entry in objects):
        raise ConfigurationError(f"{problem}, and one of them is no object")
    try:
        result: list[dict[str, Any]] = json.loads(
            json.dumps([dict(entry) for entry in objects], allow_nan=False)
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{problem}: {error}") from None
    return result

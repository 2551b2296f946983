"""Where requests go."""

from __future__ import annotations

import ipaddress

from yarl import URL

from deepcall_async._model import ConfigurationError

PATH = "/api/v2/Agent/live"  # the form without a trailing slash, as in the vendor's samples


def live_url(base_url: str, *, allow_plain_http: bool) -> URL:
    """The endpoint's URL under a base URL. `ConfigurationError`, which never quotes the URL, otherwise."""
    try:
        url = URL(base_url)
        host = url.host
        is_clean = base_url.isprintable() and set("{}<> ").isdisjoint(base_url)
    except (TypeError, ValueError):
        raise ConfigurationError("base_url is not a URL") from None
    if url.scheme not in ("https", "http") or not host or not is_clean:
        raise ConfigurationError('base_url must be a URL like "https://v4-api.deepcall.com"')
    if url.raw_user or url.raw_password or url.raw_query_string or url.raw_fragment or "?" in base_url:
        raise ConfigurationError("base_url must have no user, password, query or fragment")
    if url.scheme == "http" and not allow_plain_http and not _is_loopback(host):
        raise ConfigurationError(
            "base_url is plain http, which would send the credentials unencrypted: use https, or insist "
            "with allow_plain_http=True"
        )
    return url.with_path(url.raw_path.rstrip("/") + PATH, encoded=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Credentials from a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepcall_async import ConfigurationError
from deepcall_async.cli._credentials import read_credentials

SECRET = "s3cr3t-value"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deepcall.env"
    path.touch(mode=0o600)
    return path


def test_settings_are_read_from_lines_of_key_and_value(file: Path) -> None:
    file.write_bytes(
        b"\xef\xbb\xbf# mine\r\n\r\n"
        b"DEEPCALL_USER_ID = 12345678\r\nexport DEEPCALL_TOKEN='a=b c'\r\nOTHER=1\r\n"
    )
    assert read_credentials(file) == {"DEEPCALL_USER_ID": "12345678", "DEEPCALL_TOKEN": "a=b c"}


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o601, 0o777])
def test_a_file_that_others_may_touch_is_refused_with_the_remedy(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_credentials(file)


def test_a_line_that_is_no_setting_is_named_but_not_shown(file: Path) -> None:
    file.write_text(f"DEEPCALL_SSID=x\n{SECRET}\n")
    with pytest.raises(ConfigurationError, match="line 2") as raised:
        read_credentials(file)
    assert SECRET not in str(raised.value)


def test_a_file_that_is_missing_or_not_text_is_a_matter_of_configuration(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_credentials(file.with_name("nowhere"))
    file.write_bytes(b"\xff\xfe" + SECRET.encode())
    with pytest.raises(ConfigurationError, match="UTF-8") as raised:
        read_credentials(file)
    assert raised.value.__cause__ is None

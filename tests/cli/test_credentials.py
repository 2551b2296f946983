"""Credentials from a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepcall_async import ConfigurationError
from deepcall_async.cli._credentials import CREDENTIALS, read_credentials, use_credentials
from tests.dump import dump

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


# --- what is wrong with a file is said, and nothing of it shown ---------------------------------------

COMPLETE = f"DEEPCALL_USER_ID=70212345\nDEEPCALL_TOKEN={SECRET}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"DEEPCALL_SSID={SECRET}\0\n", "line 1: DEEPCALL_SSID has a control character in it"),
        (f"{COMPLETE}DEEPCALL_BASE_URL=\x1b[2J", "line 3: DEEPCALL_BASE_URL has a control character"),
        (f"{COMPLETE}={SECRET}", "line 3: expected KEY=VALUE"),
        (f"DEEPCALL_USERID={SECRET}", "line 1: DEEPCALL_USERID is no setting: there are DEEPCALL_SSID, "),
        ("", "must set DEEPCALL_SSID, or .* and not both kinds: none of them is set$"),
        (f"USER_ID=7\nTOKEN={SECRET}", r"none of them is set \(not known: USER_ID, TOKEN\)"),
        (f"\n{SECRET}=\nA={SECRET}", r"none of them is set \(not known: what stands in line 2, .* line 3\)"),
        (f"DEEPCALL_{SECRET}==", r"\(not known: what stands in line 1\)"),
        (f"DEEPCALL_TOKEN={SECRET}", "DEEPCALL_TOKEN is set$"),
        (f"DEEPCALL_TOKEN={SECRET}\nDEEPCALL_USER_ID=", "DEEPCALL_TOKEN is set$"),
        (f"{COMPLETE}DEEPCALL_SSID=x", "DEEPCALL_SSID and DEEPCALL_USER_ID and DEEPCALL_TOKEN is set$"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_name_and_without_its_secrets(
    text: str, told: str, file: Path
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"^{file}.*{told}") as raised:
        use_credentials(file)
    assert SECRET not in dump(raised.value)


def test_settings_of_other_programs_are_left_alone(file: Path) -> None:
    file.write_text(f"OTHER=1\n{COMPLETE}PATH=\0\n{SECRET}=\n")
    assert read_credentials(file) == {"DEEPCALL_USER_ID": "70212345", "DEEPCALL_TOKEN": SECRET}


def test_a_letter_that_the_systems_encoding_lacks_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f"DEEPCALL_SSID={SECRET}é", encoding="utf-8")
    monkeypatch.setattr(os, "fsencode", lambda text: text.encode("ascii"))
    with pytest.raises(ConfigurationError, match="line 1: DEEPCALL_SSID has a letter") as raised:
        use_credentials(file)
    assert SECRET not in dump(raised.value)


def test_a_name_that_can_be_no_file_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="cannot read the credentials file"):
        read_credentials(Path("a\0b"))


def test_a_file_stands_in_for_all_credentials_of_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCALL_TOKEN", "of the environment")
    monkeypatch.setenv("DEEPCALL_USER_ID", "1")
    monkeypatch.setenv("DEEPCALL_SSID", "1")
    file.write_text(f"DEEPCALL_SSID={SECRET}")
    use_credentials(file)
    assert [os.environ.get(name) for name in CREDENTIALS] == [SECRET, None, None]

"""What SECURITY.md points at is there."""

from __future__ import annotations

import inspect
import re
import tomllib

import pytest

from deepcall_async import DeepcallSession

from .source import PACKAGE, ROOT

PAGE = (ROOT / "SECURITY.md").read_text()
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_every_setting_it_names_is_one_of_the_session() -> None:
    settings = inspect.signature(DeepcallSession).parameters
    for name in ("allow_plain_http", "max_reply_bytes", "base_url", "http_session"):
        assert f"`{name}`" in PAGE
        assert name in settings


def test_the_security_rules_of_the_linter_hold_for_the_whole_package_but_the_simulators_dice() -> None:
    assert "S" in LINTER["select"]
    assert not [rule for rule in LINTER["ignore"] if re.fullmatch(r"S\d*", rule)]
    ignored = {
        path: rules for path, rules in LINTER["per-file-ignores"].items() if path.startswith(PACKAGE.name)
    }
    assert ignored == {"deepcall_async/simulator/**": ["S311"]}

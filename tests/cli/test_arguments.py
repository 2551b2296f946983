"""What may be written after `deepcall`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deepcall_async.cli._arguments import EXIT_CODES, parse, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5), ("5s", 5), ("0.5", 0.5), ("2m", 120), ("1h", 3600), ("1.5h", 5400), ("1d", 86400)],
)
def test_a_duration_is_seconds_or_a_number_with_its_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "5 minutes", "s", "inf", "nan", "1e3", "٣"])
def test_nonsense_is_no_duration(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["watch", f"--for={text}"])
    assert ended.value.code == 2
    assert "write 5s, 2m, 1h" in capsys.readouterr().err


def test_the_real_floor_is_polled_every_five_seconds_and_the_demo_every_second_at_tenfold_time() -> None:
    real, demo = parse(["watch"]), parse(["watch", "--demo"])
    assert (real.interval, demo.interval, demo.warp) == (5, 1, 10)
    assert (real.demo, real.status, real.group_id, real.duration) == (False, "all", None, None)


def test_what_is_said_wins_over_the_defaults() -> None:
    args = parse(["events", "--demo", "--interval=2", "--warp=3", "--seed=7", "--agents=5", "--for=1m"])
    assert (args.interval, args.warp, args.seed, args.agents, args.duration) == (2, 3, 7, 5, 60)


@pytest.mark.parametrize("label", ["", "  "])
def test_an_account_has_a_name_or_none(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["live", f"--account={label}"])
    assert "must not be empty" in capsys.readouterr().err
    assert parse(["live", "--account=acme"]).account == "acme"


@pytest.mark.parametrize("option", ["--seed=1", "--warp=2", "--agents=3"])
def test_options_of_the_demo_need_the_demo(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["live", option])
    assert ended.value.code == 2
    assert "use it with --demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", ["--base-url=https://host.test", "--credentials=file", "--account=a", "--wait=5"]
)
def test_the_demo_takes_no_server_and_no_credentials(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["live", "--demo", option])
    assert ended.value.code == 2
    assert f"leave out {option.partition('=')[0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        "--demo",
        "--seed=0",
        "--warp=2",
        "--agents=3",
        "--record=file",
        "--checkpoint=file",
        "--interval=5",
        "--for=5",
        "--group=55",
        "--status=all",
        "--base-url=https://host.test",
        "--credentials=file",
        "--account=acme",
        "--wait=5",
    ],
)
def test_a_replay_takes_everything_from_its_recording(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["events", "--replay=file", option])
    assert ended.value.code == 2
    assert (
        f"--replay takes everything from the recording: leave out {option.partition('=')[0]}\n"
        in capsys.readouterr().err
    )


def test_what_only_changes_the_print_goes_with_a_replay() -> None:
    args = parse(["events", "--replay=-", "--baseline", "--ledger", "--verbose"])
    assert (str(args.replay), args.baseline, args.ledger) == ("-", True, True)


def test_there_is_no_going_on_with_a_demo(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["events", "--demo", "--checkpoint=file"])
    assert ended.value.code == 2
    assert "leave out --checkpoint, or try deepcall simulate" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["fly"],
        ["watch", "--inter=5"],
        ["watch", "--status=on"],
        ["live", "--interval=5"],
        ["watch", "--demo", "--agents=0"],
        ["watch", "--demo", "--warp=nan"],
        ["watch", "--token=x"],
        ["watch", "--replay=file"],
        ["events", "--record=-"],
        ["events", "--checkpoint=-"],
        ["events", "--checkpoint=same", "--record=same"],
        ["simulate", "--port=70000"],
    ],
)
def test_wrong_usage_exits_with_2_and_names_the_help(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(wrong)
    assert ended.value.code == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["watch"], ["events"], ["live"], ["simulate"]])
def test_every_help_lists_the_exit_codes(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*command, "--help"])
    assert ended.value.code == 0
    assert EXIT_CODES in capsys.readouterr().out


def test_no_option_takes_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("watch", "events", "live", "simulate"):
        with pytest.raises(SystemExit):
            parse([command, "--help"])
        options = {word for word in capsys.readouterr().out.lower().split() if word.startswith("--")}
        assert not any(secret in option for option in options for secret in ("token", "ssid", "user"))


def test_help_imports_neither_the_network_nor_the_screen() -> None:
    """`--help` and wrong usage answer at once: an import of the heavy libraries alone takes longer."""
    program = (
        "import sys\n"
        "from deepcall_async.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('aiohttp', 'attr', 'cattrs', 'rich', 'asyncio') if name in sys.modules])"
    )
    output = subprocess.run(  # noqa: S603  # ourselves
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert output.stdout.splitlines()[-1] == "[]"


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("deepcall-async ")

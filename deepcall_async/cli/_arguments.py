"""What may be written after `deepcall`. Nothing here imports more than argparse, so `--help` is quick."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from deepcall_async import _lazy

EXIT_CODES = """\
exit codes:
  0    done: --for or the recording is over, or the reader of the output went away
  1    the output, a recording or a checkpoint cannot be written
  2    wrong usage
  3    configuration: a setting or a file is missing or wrong
  4    credentials refused, or the right to view agents is missing
  5    network: no answer, or one that cannot be read
  6    the API refused the request
  130  ended by Ctrl-C
  143  ended by SIGTERM
"""

CREDENTIALS = """\
credentials come from the environment, or with --credentials from a file of KEY=VALUE lines that only
its owner may read. They are never taken from the command line, where every user could see them:
  DEEPCALL_USER_ID and DEEPCALL_TOKEN, or DEEPCALL_SSID; and, if it is not the default, DEEPCALL_BASE_URL.
  DEEPCALL_ACCOUNT is a label for the account, if you have several: it stands in ids and checkpoints
"""

READING = """\
in the table, ~ marks an age that is known only to within a poll. In the list of transitions, ~ marks such
a time, and [inferred] or [counted] what no poll saw but the evidence tells. Whether an agent is occupied
(rung, or wrapping up) stands in the table only; `deepcall events` tells everything.
"""

CHECKPOINT_EVERY = 30.0  # seconds between saves on a quiet floor
KEEPING = f"""\
a checkpoint is saved once news is printed, every {CHECKPOINT_EVERY:g} s on a quiet floor, and at the end.
What a crash cuts off before is printed again by the next run, with the same ids: skip those you know.
"""

INTERVAL = 5.0  # seconds between polls
DEMO_INTERVAL = 1.0  # and in the demo, whose time runs faster
DEMO_WARP = 10.0
DEMO_AGENTS = 24
DEMO_OPTIONS = ("seed", "warp", "agents")
REAL_OPTIONS = ("base_url", "credentials", "account", "wait")
REPLAY_OPTIONS = ("command", "verbose", "replay", "baseline", "ledger")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments as a namespace with the defaults filled in; wrong usage exits with status 2."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if hasattr(args, "replay"):
        _check_events(args, parser.error)
    if hasattr(args, "demo"):
        _check_demo(args, parser.error)
        _fill_in(args)
    return args


def seconds(text: str) -> float:
    """A duration above zero: plain seconds, or a number and s, m, h or d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip(), re.ASCII)
    value = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 5s, 2m, 1h, or plain seconds")
    return value


def _number(kind: type, lowest: float, highest: float) -> Any:
    """A number within bounds, as a type for argparse."""

    def convert(text: str) -> Any:
        value = kind(text)
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text} is not within {lowest} to {highest}")
        return value

    convert.__name__ = "number"  # argparse names it in its message
    return convert


def _file(text: str) -> Path:
    """The name of a file to keep things in, as a type for argparse."""
    if text == "-":
        raise argparse.ArgumentTypeError("- is no file: give it a name")
    return Path(text)


def _label(text: str) -> str:
    """A name for the account, as a type for argparse."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a label must not be empty")
    return text


def _check_events(args: argparse.Namespace, refuse: Any) -> None:
    given = [name for name, value in vars(args).items() if value is not None and value is not False]
    others = [name for name in given if name not in REPLAY_OPTIONS]
    if args.replay is not None and others:
        option = {"group_id": "group", "duration": "for"}.get(others[0], others[0]).replace("_", "-")
        refuse(f"--replay takes everything from the recording: leave out --{option}")
    if args.checkpoint is not None and args.checkpoint == args.record:
        refuse("--record and --checkpoint need a file each")
    if args.checkpoint is not None and args.demo:
        refuse("the floor of --demo begins anew each time: leave out --checkpoint, or try deepcall simulate")


def _check_demo(args: argparse.Namespace, refuse: Any) -> None:
    demo_only = [name for name in DEMO_OPTIONS if getattr(args, name) is not None]
    real_only = [name for name in REAL_OPTIONS if getattr(args, name) is not None]
    if demo_only and not args.demo:
        refuse(f"--{demo_only[0]} is about the simulated floor: use it with --demo")
    if real_only and args.demo:
        refuse(f"--demo has its own server: leave out --{real_only[0].replace('_', '-')}")


def _fill_in(args: argparse.Namespace) -> None:
    """Defaults that depend on whether it is the demo."""
    defaults = {"status": "all", "seed": 1, "warp": DEMO_WARP if args.demo else 1.0, "agents": DEMO_AGENTS}
    if "interval" in args:
        defaults["interval"] = DEMO_INTERVAL if args.demo else INTERVAL
    for name, default in defaults.items():
        if getattr(args, name) is None:
            setattr(args, name, default)


class _Parser(argparse.ArgumentParser):
    """A parser that keeps line breaks in its epilog and does not guess abbreviated options."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line; the usage line alone seldom helps."""
        self.exit(2, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


class _Version(argparse.Action):
    """Prints the version; the look-up is too slow to be done at every start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        version = _lazy.load("importlib.metadata").version("deepcall-async")
        sys.stdout.write(f"deepcall-async {version}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="deepcall",
        description="A call centre's live floor in the terminal. No account at hand? deepcall watch --demo",
        epilog=f"{CREDENTIALS}\n{EXIT_CODES}",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    _add_watch(commands)
    _add_events(commands)
    _add_live(commands)
    _add_simulate(commands)
    return parser


def _command(commands: Any, name: str, summary: str, epilog: str = EXIT_CODES) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=epilog
    )
    command.add_argument("--verbose", action="store_true", help="log to stderr (never a secret)")
    return command


def _add_watch(commands: Any) -> None:
    command = _command(
        commands,
        "watch",
        "the floor as a live table; a line per transition where there is no terminal",
        epilog=f"{READING}\n{EXIT_CODES}",
    )
    _add_source(command)
    _add_polling(command)


def _add_events(commands: Any) -> None:
    command = _command(
        commands,
        "events",
        "every transition as one line of JSON; outages and gaps are told on stderr",
        epilog=f"{KEEPING}\n{EXIT_CODES}",
    )
    command.add_argument("--baseline", action="store_true", help="begin with the whole floor, as one object")
    command.add_argument(
        "--ledger",
        action="store_true",
        help="at the end, tell on stderr what the server's call counters grew by, and what explains it",
    )
    _add_files(command)
    _add_source(command)
    _add_polling(command)


def _add_files(command: argparse.ArgumentParser) -> None:
    files = command.add_argument_group("files")
    files.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=_file,
        help="go on where the last run with this file stopped, also after a crash",
    )
    files.add_argument(
        "--record",
        metavar="FILE",
        type=_file,
        help="keep the raw replies for --replay in a new file; they name people, but hold no credentials",
    )
    files.add_argument(
        "--replay",
        metavar="FILE",
        type=Path,
        help="print what a recording tells, to the byte as it was; no network, no credentials; - is stdin",
    )


def _add_live(commands: Any) -> None:
    command = _command(commands, "live", "the floor as it is now, once")
    command.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    _add_source(command)
    _add_limit(command)


def _add_simulate(commands: Any) -> None:
    command = _command(commands, "simulate", "serve a simulated floor for clients and bots to connect to")
    command.add_argument(
        "--port", type=_number(int, 0, 65535), default=8055, help="default 8055; 0: any free"
    )
    command.add_argument(
        "--agents", type=_number(int, 1, 100_000), default=DEMO_AGENTS, help=f"default {DEMO_AGENTS}"
    )
    command.add_argument("--seed", type=int, default=1, help="the same seed gives the same floor; default 1")
    command.add_argument(
        "--warp",
        type=_number(float, 0.01, 10_000),
        default=1.0,
        help="how many times faster its time runs; default 1",
    )
    command.add_argument(
        "--variant",
        metavar="NAME",
        default="likely",
        help='how it behaves where the real server is unknown; default "likely"; a wrong name shows all',
    )
    _add_limit(command)


def _add_source(command: argparse.ArgumentParser) -> None:
    """Where the floor is, and which part of it."""
    source = command.add_argument_group("which floor")
    source.add_argument(
        "--base-url", metavar="URL", help="the server; default: DEEPCALL_BASE_URL or the vendor's"
    )
    source.add_argument(
        "--credentials",
        metavar="FILE",
        type=Path,
        help="KEY=VALUE lines instead of the environment; only you may be allowed to read it",
    )
    source.add_argument(
        "--account",
        metavar="LABEL",
        type=_label,
        help="names the account in ids, checkpoints and the title; default: DEEPCALL_ACCOUNT, or a name made "
        "of the server and the user id",
    )
    source.add_argument(
        "--wait",
        metavar="DURATION",
        type=seconds,
        help="try so long while the server is down at the start; default: three times, then give up",
    )
    source.add_argument("--group", metavar="ID", dest="group_id", help="only the agents of this group")
    source.add_argument(
        "--status",
        choices=("all", "login"),
        help="all agents (default), or only those logged in",
    )
    _add_demo(command)


def _add_demo(command: argparse.ArgumentParser) -> None:
    demo = command.add_argument_group("a simulated floor instead")
    demo.add_argument("--demo", action="store_true", help="watch a simulated floor: no account, no network")
    demo.add_argument("--seed", type=int, help="the same seed gives the same floor; default 1")
    demo.add_argument(
        "--warp",
        type=_number(float, 0.01, 10_000),
        help=f"how many times faster its time runs; default {DEMO_WARP:g}",
    )
    demo.add_argument(
        "--agents", type=_number(int, 1, 100_000), help=f"how many agents; default {DEMO_AGENTS}"
    )


def _add_polling(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--interval",
        metavar="SECONDS",
        type=seconds,
        help=f"from poll to poll; default {INTERVAL:g}, in the demo {DEMO_INTERVAL:g}",
    )
    _add_limit(command)


def _add_limit(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--for", metavar="DURATION", dest="duration", type=seconds, help="stop after 30s, 5m, 1h, ..."
    )

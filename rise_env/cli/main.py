"""`rise <command>`: finds a command among the entry points `rise.commands` and runs it.

The module of a command is imported only when the command is asked for. The help shows the first line of the
module's docstring, which is read from its source.

Exit codes: 0 is success. 1 means that the command ran and found something wrong, for example a wrong reply.
2 means that an argument or a file is wrong; one line on stderr says what is wrong and what to do. 130 means
that the command was interrupted.
"""

import ast
import importlib.util
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

from rise_env.cli.log_filters import quiet
from rise_env.errors import RiseError
from rise_env.utils.plugins import COMMANDS, find_plugin, load, plugins
from rise_env.utils.versions import __version__

_CONTINUE = frozenset({"bench", "collect", "evaluate", "fit", "learn", "run"})
"""Commands that continue where they were interrupted."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The command and its arguments; None takes those of this process, the program `rise`.
    """
    if argv is None:
        quiet()
        sys.path.append(
            str(Path.cwd())
        )  # for module:factory in the user's folder; installed modules come first
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0
    if arguments[0] == "--version":
        print(f"rise {__version__}")
        return 0
    name, rest = arguments[0], arguments[1:]
    try:
        command = load(find_plugin(COMMANDS, name, "command"))
        return int(command(rest) or 0)
    except RiseError as error:
        print(f"rise {name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has closed it, as in `rise envs | head`
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        said = "interrupted; the same command continues" if name in _CONTINUE else "interrupted"
        print(f"rise {name}: {said}", file=sys.stderr)
        return 130


def _help() -> str:
    commands = {name: _summary(entry) for name, entry in plugins(COMMANDS).items()}
    width = max(map(len, commands))
    lines = [f"  {name:<{width}}  {text}" for name, text in commands.items()]
    usage = "usage: rise COMMAND [options]     rise --version"
    return "\n".join([usage, "", *lines, "", "rise COMMAND --help shows the options of a command."])


def _summary(entry: EntryPoint) -> str:
    """Return the first line of the docstring of a command's module, without the command. Imports nothing."""
    try:
        spec = importlib.util.find_spec(entry.module)
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        first = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    except (ImportError, OSError, SyntaxError, ValueError):
        return "(cannot be read)"
    return first.partition("`: ")[2] or first


if __name__ == "__main__":
    sys.exit(main())

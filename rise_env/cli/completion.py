"""`rise completion bash | zsh | fish`: prints a script that completes the commands and options of `rise`.

source <(rise completion bash)                     in ~/.bashrc; zsh instead of bash in ~/.zshrc
rise completion fish | source                      in ~/.config/fish/config.fish
"""

import argparse
import contextlib
import io
import re
from collections.abc import Sequence

from rise_env.utils.plugins import COMMANDS, load, plugins

_BASH = """_rise() {
    local words
    words="$(rise completion words "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)"
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _rise rise
"""
_ZSH = """autoload -Uz compinit && compinit
_rise() {
    local -a words_here
    words_here=(${(f)"$(rise completion words "${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
    compadd -a words_here || _files
}
compdef _rise rise
"""
_FISH = """function __rise_words
    rise completion words (commandline -opc)[2..-1] 2>/dev/null
end
complete -c rise -a '(__rise_words)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""Shell -> its script. It asks `rise completion words` for what may follow the words so far."""


def main(argv: Sequence[str]) -> int:
    """Run `rise completion`; return the exit code."""
    if argv[:1] == ["words"]:
        print("\n".join(words_after(argv[1:])))
        return 0
    parser = argparse.ArgumentParser(
        "rise completion", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shell", choices=SCRIPTS, help="the shell that reads the script")
    print(SCRIPTS[parser.parse_args(argv).shell], end="")
    return 0


def words_after(words: Sequence[str]) -> list[str]:
    """Return the words that may follow the first words of a command line, without `rise`.

    Those of a command are read from its help, so that commands of other packages are completed as well.
    """
    commands = plugins(COMMANDS)
    if not words:
        return [*commands, "--help", "--version"]
    if words[0] not in commands:
        return []
    inner = [word for word in words[1:2] if not word.startswith("-")]
    text = _help(words[0], inner) or _help(words[0], [])
    return [*re.findall(r"^ {4}([a-z_]+)(?: {2,}|$)", text, re.MULTILINE)] * (not inner) + _options(text)


def _options(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"(?<![\w-])--[a-zA-Z][\w.-]*", text)))


def _help(command: str, words: Sequence[str]) -> str:
    """Return the help of a command; an empty text if these words have none."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            load(plugins(COMMANDS)[command])([*words, "--help"])
        except SystemExit as end:
            return printed.getvalue() if not end.code else ""
        except Exception:  # a command of another package; completion never fails
            return ""
    return printed.getvalue()

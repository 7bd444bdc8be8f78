"""Trials with real processes: the chat template of a model, and one step of a tiny fit."""

import tempfile
from pathlib import Path

from rise_trainers.doctor.findings import Finding, run_python

_CHAT = """
import sys
from rise_agents.chat.loading import load_chat
from rise_env.errors import RiseError
try:
    chat = load_chat(sys.argv[1])
except RiseError as error:
    sys.exit(str(error))
ends = ", ".join(repr(chat.tokenizer.convert_ids_to_tokens(token)) for token in chat.stop_tokens)
print(f"replies end with {ends or 'no token'}", *chat.notes, sep="; ")
"""
_RISE = ("-m", "rise_env.cli.main")


def check_chat(model: str) -> list[Finding]:
    """Check that the chat template of a model writes conversations, and tell at which tokens replies end.

    Args:
        model: A model folder or hub id.
    """
    done, last = run_python("-c", _CHAT, model)
    return [Finding("ok" if done else "no", "chat template", f"{model}: {last}")]


def check_fit() -> list[Finding]:
    """Collect two episodes with the expert, and fit the embedded model to them in one step."""
    with tempfile.TemporaryDirectory(prefix="rise-doctor-") as folder:
        store, output = str(Path(folder, "data")), str(Path(folder, "model"))
        play = ("RISE-Arithmetic-v0", "--agent", "expert", "--limit", "2", "--turns", "1", "--out", store)
        done, last = run_python(*_RISE, "collect", *play)
        if not done:
            return [Finding("no", "collection", last)]
        options = ("--data", f"{store}/trajectories.jsonl", "--model", "tiny", "--output", output)
        small = ("--epochs", "1", "--device", "auto", "--policy_sequences", "0", "--cache", "false")
        done, last = run_python(*_RISE, "fit", *options, *small)
        if not done:
            log = Path(f"{output}.partial", "fit.log")
            return [Finding("no", "tiny fit", f"{last}{_reason(log)}")]
        return [Finding("ok", "tiny fit", "one step of the embedded model with DeepSpeed")]


def _reason(log: Path) -> str:
    """Return the last error in the log of a fit, which is deleted afterwards; "" if there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    errors = [line.strip() for line in lines if "Error" in line]
    return f" ({errors[-1][:300]})" if errors else ""

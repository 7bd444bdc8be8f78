"""Services that runs may use: the Hugging Face hub and Weights & Biases."""

import netrc
import os
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from rise_trainers.doctor.findings import Finding

TIMEOUT_S = 10.0
"""Seconds to wait for a server."""


def check_hub() -> list[Finding]:
    """Check that the hub can be reached, and whether there is a token."""
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    if os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0"):
        return [Finding("--", "hub", "HF_HUB_OFFLINE is set: only what is in the cache can be loaded")]
    error = reach(endpoint)
    if error:
        said = (
            f"{endpoint} cannot be reached ({error}): use model folders and problems.data_dir, or set "
            "HF_ENDPOINT to a mirror"
        )
        return [Finding("no", "hub", said)]
    home = Path(os.environ.get("HF_HOME", str(Path.home() / ".cache" / "huggingface")))
    if os.environ.get("HF_TOKEN") or (home / "token").is_file():
        return [Finding("ok", "hub", f"{endpoint} can be reached, and there is a token")]
    return [Finding("--", "hub", f"{endpoint} can be reached; gated models need a token: set HF_TOKEN")]


def check_wandb() -> list[Finding]:
    """Check that W&B could log in."""
    mode = os.environ.get("WANDB_MODE", "online")
    if mode in ("offline", "disabled", "dryrun"):
        return [Finding("ok", "W&B", f"WANDB_MODE is {mode}: no login is needed")]
    url = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai").rstrip("/")
    if not (os.environ.get("WANDB_API_KEY") or _in_netrc(urlsplit(url).hostname or "")):
        said = "no login; track wandb would need one: wandb login, WANDB_API_KEY, or WANDB_MODE=offline"
        return [Finding("--", "W&B", said)]
    error = reach(url)
    if error:
        return [Finding("no", "W&B", f"{url} cannot be reached ({error}): set WANDB_MODE=offline")]
    return [Finding("ok", "W&B", f"{url} can be reached, and there is a login")]


def reach(url: str) -> str:
    """Return why a server cannot be reached; "" if it answers, whatever it answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT_S):
            return ""
    except urllib.error.HTTPError:
        return ""
    except (OSError, ValueError) as error:
        return " ".join(str(getattr(error, "reason", error)).split())


def _in_netrc(host: str) -> bool:
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False

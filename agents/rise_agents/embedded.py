"""The folders of the embedded models."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_HERE = Path(__file__).parent

EMBEDDED: Mapping[str, str] = MappingProxyType(
    {"tiny": str(_HERE / "tiny"), "tiny-notes": str(_HERE / "tiny_notes")}
)
"""Name of the model, and of its agent -> its folder."""

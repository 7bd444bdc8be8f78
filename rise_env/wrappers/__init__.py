"""Gymnasium wrappers for environments whose observations are conversations."""

from rise_env.wrappers.context_window import ContextWindow, VectorContextWindow, recent_turns
from rise_env.wrappers.few_shot import FewShot
from rise_env.wrappers.text_observation import TextObservation, VectorTextObservation

__all__ = [
    "ContextWindow",
    "FewShot",
    "TextObservation",
    "VectorContextWindow",
    "VectorTextObservation",
    "recent_turns",
]

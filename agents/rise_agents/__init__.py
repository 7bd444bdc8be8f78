"""LLM agents for RISE's environments: rollouts, collection into stores, and evaluation.

The agents that need heavy libraries (`TransformersAgent`, `VLLMAgent`, `OpenAIAgent`) are imported on first
use.
"""

import importlib
from typing import TYPE_CHECKING

from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.backends.replay_agent import ReplayAgent
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.evaluation.runner import evaluate
from rise_agents.registry import load_agent
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, Reply, SamplingConfig, StreamingAgent
from rise_env.utils.extras import missing_library

if TYPE_CHECKING:
    from rise_agents.backends.openai_agent import OpenAIAgent
    from rise_agents.backends.transformers_agent import TransformersAgent
    from rise_agents.backends.vllm_agent import VLLMAgent

__all__ = [
    "Agent",
    "ExpertAgent",
    "OpenAIAgent",
    "ReplayAgent",
    "Reply",
    "SamplingConfig",
    "ScriptedAgent",
    "StreamingAgent",
    "TransformersAgent",
    "TurnPlan",
    "VLLMAgent",
    "collect",
    "evaluate",
    "load_agent",
    "rollout",
]

if not TYPE_CHECKING:  # a type checker would accept any name from a module with `__getattr__`
    _LAZY = {
        "OpenAIAgent": "rise_agents.backends.openai_agent",
        "TransformersAgent": "rise_agents.backends.transformers_agent",
        "VLLMAgent": "rise_agents.backends.vllm_agent",
    }

    def __getattr__(name: str) -> object:
        """Import an agent on first use (PEP 562)."""
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            value = getattr(importlib.import_module(_LAZY[name]), name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("rise_"):
                raise
            raise missing_library(error.name, name) from error
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """List the lazily imported names as well."""
    return sorted({*globals(), *__all__})

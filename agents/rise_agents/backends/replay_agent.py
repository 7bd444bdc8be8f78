"""An agent that records the replies of another agent in a file, and later gives the same replies offline."""

from collections.abc import Sequence
from typing import Any

from rise_agents.client.reply_log import ReplyLog
from rise_agents.types import Agent, FormattedAgent, Reply, SamplingConfig, can_continue
from rise_env.errors import DataNotFoundError
from rise_env.types import Conversation


class ReplayAgent:
    """Answers from a reply log, and asks the agent `record`, if one is given, for replies that the log lacks.

    Its name is that of the agent whose replies the log holds, so that trajectories get the same ids as with
    that agent. So is its `format`, if that is known.

    Args:
        file: Path of the reply log.
        record: The agent to record, or the string that names it in `load_agent`. If None, the log is only
            replayed.
        settings: Settings of `record` if that is a string.

    Raises:
        DataNotFoundError: There is no such file, and `record` is None.
        StoreError: The file is damaged, or holds the replies of another agent or of another format.
    """

    def __init__(
        self, file: str, *, record: Agent | str | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        if isinstance(record, str):
            from rise_agents.registry import load_agent

            record = load_agent(record, **(settings or {}))
        self._recorded = record
        self._reply_log = ReplyLog(
            file,
            None if record is None else record.name,
            model_format=record.format if isinstance(record, FormattedAgent) else None,
        )
        if record is None and self._reply_log.agent is None:
            raise DataNotFoundError(f"there is no reply log {file}: record one with record=AGENT")
        if self._reply_log.model_format is not None:
            self.format = self._reply_log.model_format  # only then it is a `FormattedAgent`

    @classmethod
    def check_settings(
        cls, file: str, *, record: Agent | str | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        """Check the reply log, or the agent to record, without loading a model; see `registry.check_agent`.

        Raises:
            ConfigError, DataNotFoundError, StoreError: See the class.
        """
        if isinstance(record, str):
            from rise_agents.registry import check_agent

            check_agent(record, settings, here=True)
        elif record is None:
            cls(file)

    @property
    def name(self) -> str:
        """The name of the agent whose replies the log holds."""
        return str(self._reply_log.agent)

    @property
    def continues(self) -> bool:
        """See `ContinuingAgent`: a log holds replies to any conversation."""
        return self._recorded is None or can_continue(self._recorded)

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation with the recorded reply; see `Agent.act`.

        Raises:
            DataNotFoundError: The log lacks a reply, and no agent is being recorded.
        """
        keys = self._reply_log.keys(conversations, sampling, seeds)
        logged = [self._reply_log.get(key) for key in keys]
        missing = [place for place, reply in enumerate(logged) if reply is None]
        new: dict[int, Reply] = {}
        if missing:
            if self._recorded is None:
                raise self._missing_replies(conversations, missing)
            replies = self._recorded.act(
                [conversations[place] for place in missing],
                sampling,
                None if seeds is None else [seeds[place] for place in missing],
            )
            new = dict(zip(missing, replies, strict=True))
            for place, reply in new.items():
                if reply.finish != "error":  # a failed request is made again at the next run
                    self._reply_log.add(keys[place], reply)
        return [new[place] if reply is None else reply for place, reply in enumerate(logged)]

    def close(self) -> None:
        """Close the recorded agent."""
        if self._recorded is not None:
            self._recorded.close()

    def _missing_replies(
        self, conversations: Sequence[Conversation], missing: Sequence[int]
    ) -> DataNotFoundError:
        first = conversations[missing[0]]
        prompt = first[-1]["content"] if first else ""
        return DataNotFoundError(
            f"{self._reply_log.path} holds no reply to {len(missing)} of {len(conversations)} requests, "
            f"the first after {prompt[:60]!r}; record them with record=AGENT"
        )

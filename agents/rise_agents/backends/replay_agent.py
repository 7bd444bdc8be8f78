"""Records any agent, and plays it back without it: offline, and bit for bit."""

from collections.abc import Sequence
from typing import Any

from rise_agents.client.reply_log import ReplyLog
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.errors import DataNotFoundError
from rise_env.types import Conversation


class ReplayAgent:
    """Answers from a file; what is not in it is asked of the agent being recorded, if there is one.

    Its name is the recorded agent's, so that trajectories get the same ids as with that agent.

    Args:
        file: The cassette.
        record: Agent, or its text for `load_agent`, that answers what the file does not hold yet. None only
            plays back.
        settings: Of `record`, when that is a text.

    Raises:
        DataNotFoundError: There is no such file, and nobody to record.
        StoreError: The file is damaged, or of another agent.
    """

    def __init__(
        self, file: str, *, record: Agent | str | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        if isinstance(record, str):
            from rise_agents.registry import load_agent

            record = load_agent(record, **(settings or {}))
        self._recorded = record
        self._reply_log = ReplyLog(file, None if record is None else record.name)
        if record is None and self._reply_log.agent is None:
            raise DataNotFoundError(f"there is no cassette {file}; make it with record=AGENT")

    @property
    def name(self) -> str:
        """The recorded agent's."""
        return str(self._reply_log.agent)

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation as it was answered before.

        Raises:
            DataNotFoundError: A reply is not on the cassette, and nothing is recorded.
        """
        keys = self._reply_log.keys(conversations, sampling, seeds)
        missing = [place for place, key in enumerate(keys) if self._reply_log.get(key) is None]
        if missing and self._recorded is None:
            said = conversations[missing[0]][-1]["content"] if conversations[missing[0]] else ""
            raise DataNotFoundError(
                f"{self._reply_log.path} holds no reply to {len(missing)} of {len(keys)} requests, "
                f"the first after {said[:60]!r}; record them with record=AGENT"
            )
        if missing and self._recorded is not None:
            replies = self._recorded.act(
                [conversations[place] for place in missing],
                sampling,
                None if seeds is None else [seeds[place] for place in missing],
            )
            for place, reply in zip(missing, replies, strict=True):
                if reply.finish != "error":  # to be asked again another time
                    self._reply_log.add(keys[place], reply)
            fresh = dict(zip(missing, replies, strict=True))
        else:
            fresh = {}
        return [fresh[i] if i in fresh else _known(self._reply_log.get(key)) for i, key in enumerate(keys)]

    def close(self) -> None:
        """Close the recorded agent."""
        if self._recorded is not None:
            self._recorded.close()


def _known(reply: Reply | None) -> Reply:
    assert reply is not None  # looked up before
    return reply

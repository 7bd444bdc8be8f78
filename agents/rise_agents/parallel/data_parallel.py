"""Data parallelism: several replicas of one agent, each in its own process with its own devices.

A conversation goes to the replica that answered its beginning, because that replica has the beginning in its
prefix cache, unless that replica already has its share of the batch. Replies depend on their seeds and
never on the replica.

Each call waits for every replica to finish before it returns, or raises what a replica or the caller's
callback raised. If a replica dies, or on Ctrl-C, the call ends all replicas and the agent is closed.
"""

import multiprocessing
from collections.abc import Callable, Collection, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import Any

from rise_agents.parallel.replica import close_pipes, send, serve_replica
from rise_agents.types import OnReply, Reply, SamplingConfig, StreamRequests
from rise_env.errors import AgentError, RiseError
from rise_env.types import Conversation

_CLOSE_TIMEOUT_S = 60.0
"""Seconds that a replica may take to close before it is killed."""

_MAX_PREFIXES = 1 << 16
"""Maximal number of conversations whose replica is remembered; when it is reached, all are forgotten."""

_POLL_INTERVAL_S = 1.0
"""While no replica sends anything, their processes are checked at this interval, in seconds."""


class DataParallelAgent:
    """Several replicas of one agent, used as one agent. `VLLMAgent` uses it for `data_parallel_size`.

    Processes are spawned, so scripts need `if __name__ == "__main__":` around their work.

    Args:
        spec: The string that names the agent in `load_agent`.
        settings: The agent's settings for `load_agent`, the same for every replica.
        environments: Environment variables for each replica's process, such as {"CUDA_VISIBLE_DEVICES":
            "2,3"}. Their number is the number of replicas.
        attributes: Names of attributes to read from the first replica's agent; their values are in
            `attributes`.

    Raises:
        RiseError: A replica's agent cannot be made; the error is the agent's.
        AgentError: A replica's process died.
    """

    def __init__(
        self,
        spec: str,
        settings: Mapping[str, Any],
        environments: Sequence[Mapping[str, str]],
        *,
        attributes: Sequence[str] = (),
    ) -> None:
        self._replica_of_prefix: dict[int, int] = {}
        """Hash of a conversation's beginning -> the replica that answered it."""
        self._why_closed = ""
        self._pipes: list[Connection] = []
        # multiprocessing joins its processes when the interpreter exits; replicas end when their pipe closes
        Finalize(self, close_pipes, (self._pipes,), exitpriority=0)
        self._processes: list[BaseProcess] = []
        try:
            for environment in environments:
                self._start(spec, dict(settings), dict(environment), tuple(attributes))
            descriptions = [raise_if_error(self._receive(i)) for i in range(len(self._pipes))]
        except BaseException:
            self._end_processes()
            raise
        self.attributes: dict[str, Any] = descriptions[0]
        self.name = str(self.attributes["name"])
        self.max_concurrent_requests = len(environments) * int(self.attributes["max_concurrent_requests"])
        """Number for all replicas together; 0 if the replicas' agent does not stream."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`.

        Raises:
            RiseError: A replica's agent raised it. All replicas can be used again.
            AgentError: A replica's agent raised another exception or returned too few replies; all replicas
                can be used again. Or a replica died; then the agent is closed.
        """

        def arguments(share: Sequence[int]) -> tuple[Any, ...]:
            return sampling, None if seeds is None else [seeds[i] for i in share]

        return self._gather("act", conversations, arguments)

    def logprobs_of(
        self, conversations: Sequence[Conversation], texts: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Return the log-probability of each text; see `ScoringAgent.logprobs_of` and `act`."""
        return self._gather("logprobs_of", conversations, lambda share: ([texts[i] for i in share],))

    def stream(self, requests: StreamRequests, sampling: SamplingConfig, on_reply: OnReply) -> None:
        """Answer requests and the requests that `on_reply` adds; see `StreamingAgent.stream`.

        Added requests go to the replica whose reply they follow, so a faster replica answers more of them.

        Raises:
            Exception: The first exception of `on_reply` or a replica's agent. The other replicas are stopped
                at their next reply, which is not passed to `on_reply`. All replicas can be used again.
            AgentError: A replica died; then the agent is closed.
        """
        self._check_open()
        items = list(requests.items())
        shares = self._assign([conversation for conversation, _ in requests.values()])
        busy = {replica for replica, share in enumerate(shares) if share}
        failure: Exception | None = None
        try:
            for replica in busy:
                share = dict(items[i] for i in shares[replica])
                send(self._pipes[replica], ("stream", share, sampling))
            while busy:
                for replica in self._ready(busy):
                    message = self._receive(replica)
                    if message is None or isinstance(message, Exception):
                        busy.remove(replica)
                        failure = failure or message
                    elif failure is not None:
                        send(self._pipes[replica], None)
                    else:
                        failure = self._answer_reply(replica, message, on_reply)
        except BaseException as error:
            self._close_after(error)
            if failure is not None and isinstance(error, AgentError):
                raise failure from error
            raise
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Close the agent of every replica and end the processes. Calling it twice is harmless."""
        for pipe in self._pipes:
            send(pipe, None)
        for process in self._processes:
            process.join(_CLOSE_TIMEOUT_S)
        self._end_processes()

    def _gather(
        self,
        method: str,
        conversations: Sequence[Conversation],
        arguments: Callable[[Sequence[int]], tuple[Any, ...]],
    ) -> list[Any]:
        """Call a method of every replica's agent with its share; return the results of all conversations.

        Args:
            method: "act" or "logprobs_of".
            conversations: The conversations.
            arguments: Indices of a share -> the arguments after its conversations.
        """
        self._check_open()
        shares = self._assign(conversations)
        try:
            for pipe, share in zip(self._pipes, shares, strict=True):
                send(pipe, (method, [conversations[i] for i in share], *arguments(share)))
            messages = [self._receive(replica) for replica in range(len(shares))]
        except BaseException as error:
            self._close_after(error)
            raise
        results: dict[int, Any] = {}
        for replica, share in enumerate(shares):
            of_replica = raise_if_error(messages[replica])
            if len(of_replica) != len(share):
                raise AgentError(
                    f"replica {replica} returned {len(of_replica)} replies to {len(share)} conversations"
                )
            results |= zip(share, of_replica, strict=True)
        return [results[i] for i in range(len(conversations))]

    def _start(
        self, spec: str, settings: dict[str, Any], environment: dict[str, str], attributes: tuple[str, ...]
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=serve_replica, args=(theirs, spec, settings, environment, attributes))
        process.start()
        theirs.close()
        self._pipes.append(ours)
        self._processes.append(process)

    def _answer_reply(self, replica: int, message: tuple[int, Reply], on_reply: OnReply) -> Exception | None:
        """Send a replica the requests that follow from its reply; on an exception, stop it and return it."""
        try:
            added = dict(on_reply(*message))
            for conversation, _ in added.values():
                self._remember(conversation, replica)
            send(self._pipes[replica], added)  # pickling may raise, too; then nothing was sent
        except Exception as error:
            send(self._pipes[replica], None)
            return error
        return None

    def _check_open(self) -> None:
        if not self._pipes:
            raise AgentError(f"agent {self.name} is closed{self._why_closed}")

    def _close_after(self, error: BaseException) -> None:
        self._why_closed = f": {error}" if isinstance(error, RiseError) else f": {error!r}"
        self._end_processes()

    def _end_processes(self) -> None:
        """End all processes, including busy ones."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(_CLOSE_TIMEOUT_S)
            process.kill()
            process.join()
        close_pipes(self._pipes)
        self._processes = []

    def _assign(self, conversations: Sequence[Conversation]) -> list[list[int]]:
        """Return, for each replica, the indices of the conversations that it answers."""
        limit = -(-len(conversations) // len(self._pipes))
        shares: list[list[int]] = [[] for _ in self._pipes]
        unassigned = []
        for index, conversation in enumerate(conversations):
            replica = self._replica_of_prefix.get(_prefix_hash(conversation))
            if replica is None or len(shares[replica]) == limit:
                unassigned.append(index)
            else:
                shares[replica].append(index)
        for index in unassigned:
            replica = min(range(len(shares)), key=lambda i: len(shares[i]))
            shares[replica].append(index)
            self._remember(conversations[index], replica)
        return shares

    def _remember(self, conversation: Conversation, replica: int) -> None:
        if len(self._replica_of_prefix) == _MAX_PREFIXES:
            self._replica_of_prefix.clear()
        self._replica_of_prefix[_prefix_hash(conversation)] = replica

    def _ready(self, replicas: Collection[int]) -> list[int]:
        """Wait until one of these replicas has sent a message or has ended; return those."""
        while True:
            readable = wait([self._pipes[replica] for replica in replicas], _POLL_INTERVAL_S)
            if readable:
                return [replica for replica in replicas if self._pipes[replica] in readable]
            # a child process of a dead replica can keep the pipe open, so look at the process as well
            ended = [replica for replica in replicas if not self._processes[replica].is_alive()]
            if ended:
                return ended

    def _receive(self, replica: int) -> Any:
        """Return the next message of a replica: a result, or an exception that its agent raised.

        Raises:
            AgentError: The replica's process ended.
        """
        try:
            self._ready([replica])
            if not self._pipes[replica].poll():
                raise EOFError
            return self._pipes[replica].recv()
        except (EOFError, OSError):
            self._processes[replica].join(_CLOSE_TIMEOUT_S)
            code = self._processes[replica].exitcode
            raise AgentError(f"replica {replica} of the agent ended with exit code {code}") from None


def raise_if_error(message: Any) -> Any:
    """Return a replica's message, or raise it if it is an exception."""
    if isinstance(message, Exception):
        raise message
    return message


def _prefix_hash(conversation: Conversation) -> int:
    """Return a hash of the messages up to the first user message."""
    texts = []
    for message in conversation:
        texts.append(message["content"])
        if message["role"] == "user":
            break
    return hash(tuple(texts))

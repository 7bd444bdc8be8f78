"""The messages of the OpenAI chat protocol: what a request says, and how an answer becomes a `Reply`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rise_agents.chat.reasoning import split_reasoning
from rise_agents.client.failures import UnreadableAnswerError
from rise_agents.types import Reply
from rise_env.types import Conversation, Finish, Usage

REASONING_KEYS = ("reasoning_content", "reasoning")
"""What servers call the reasoning of a message: DeepSeek, SGLang and older vLLM use the first name,
OpenRouter and newer vLLM the second."""

FINISH: Mapping[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "refusal": "refusal",
}
"""A server's word for why a reply ended, in lower case -> `Reply.finish`; any other word is "stop"."""

_ERROR = "error"
"""The word of OpenRouter and others for a reply that an error of the server ended."""


def read_reply(answer: Any, latency: float) -> Reply:
    """Convert the answer of a server to a `Reply`.

    Args:
        answer: A chat completion: a JSON value.
        latency: Time that the request took, in seconds.

    Raises:
        UnreadableAnswerError: The answer holds no reply, or an error in its place.
    """
    if not isinstance(answer, Mapping):
        raise UnreadableAnswerError(f"the answer is a JSON value of type {type(answer).__name__}")
    usage, choices = answer.get("usage"), answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    said = choice.get("finish_reason") if isinstance(choice, Mapping) else None
    word = said if isinstance(said, str) else ""
    error = answer.get("error") or (choice.get("error") if isinstance(choice, Mapping) else None)
    if error or word.lower() == _ERROR:
        code = error.get("code") if isinstance(error, Mapping) else None
        raise UnreadableAnswerError(
            f"its reply is an error: {error or word!r:.400}", usage, code if isinstance(code, int) else None
        )
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise UnreadableAnswerError("it holds no reply", usage)
    refusal, reasoning, text = _contents(message, usage)
    finish = "refusal" if refusal else FINISH.get(word.lower(), "stop")
    logprobs = choice.get("logprobs") if isinstance(choice, Mapping) else None
    return Reply(
        text=refusal or text,
        reasoning=reasoning,
        finish=finish,
        finish_reason="" if word == finish else word,
        served_model=_text(answer.get("model")),
        system_fingerprint=_text(answer.get("system_fingerprint")),
        logprobs=_logprobs(logprobs),
        usage=read_usage(usage),
        latency=latency,
    )


def read_usage(usage: Any) -> Usage:
    """Return the tokens that a server reported, with 0 for numbers that it did not report.

    Some servers count hidden reasoning in `total_tokens` only. It is added to the generated tokens.
    """
    prompt, total = _count(usage, "prompt_tokens"), _count(usage, "total_tokens")
    completion = _count(usage, "completion_tokens")
    if prompt and completion:
        completion = max(completion, total - prompt)
    details = usage.get("prompt_tokens_details") if isinstance(usage, Mapping) else None
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=min(_count(details, "cached_tokens"), prompt),
    )


def messages_to_send(
    conversation: Conversation, thinking: Literal["hide", "template"]
) -> list[dict[str, str]]:
    """Return the messages of a request.

    Args:
        conversation: The conversation.
        thinking: "hide" sends roles and texts only; "template" also sends what the model thought, so that the
            chat template on the server decides whether a prompt shows it.
    """
    sent = []
    for message in conversation:
        fields: dict[str, str] = {"role": message["role"], "content": message["content"]}
        reasoning = message.get("reasoning_content")
        if reasoning and thinking == "template":
            fields |= dict.fromkeys(REASONING_KEYS, reasoning)
        sent.append(fields)
    return sent


def _contents(message: Mapping[str, Any], usage: Any) -> tuple[str, str, str]:
    """Return the refusal, the reasoning and the text of a message.

    The content is a text, or a list of parts. Servers give the reasoning different names, or leave it in the
    text if they run without a parser for it.
    """
    content = message.get("content")
    parts: Sequence[Any] = [] if content is None else content if isinstance(content, list) else [content]
    texts: list[str] = []
    refusals = [_text(message.get("refusal"))]
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind in ("text", "output_text"):
            texts.append(_text(part.get("text")))
        elif kind == "refusal":
            refusals.append(_text(part.get("refusal")))
        elif kind in ("thinking", "reasoning"):
            thoughts.append(_joined(part.get(kind) or part.get("text")))
        else:
            raise UnreadableAnswerError(
                f"the content of its reply is neither a text nor a list of parts with texts: {part!r:.200}",
                usage,
            )
    text = "".join(texts)
    named = [message[name] for name in REASONING_KEYS if isinstance(message.get(name), str) and message[name]]
    reasoning = named[0] if named else "".join(thoughts)
    if reasoning:
        return "".join(refusals), reasoning.strip("\n"), text.lstrip("\n")
    return "".join(refusals), *split_reasoning(text)


def _joined(value: Any) -> str:
    """Return the text of a thinking part: a text, or a list of parts with texts."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, Mapping))
    return _text(value)


def _logprobs(value: Any) -> tuple[float, ...] | None:
    tokens = value.get("content") if isinstance(value, Mapping) else None
    if not isinstance(tokens, list) or not tokens:
        return None
    try:
        return tuple(float(token["logprob"]) for token in tokens)
    except (KeyError, TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(holder: Any, name: str) -> int:
    """Return a number of tokens; 0 if the server does not report it."""
    value = holder.get(name) if isinstance(holder, Mapping) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return max(int(value), 0)
    return 0

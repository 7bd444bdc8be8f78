"""The styles of chat templates: those of widely used model families, each with its tokens and its replies.

The templates are the files in `templates`; `templates/SOURCES.md` says where they come from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import GenerationConfig

from rise_agents.chat.chat import Chat
from rise_agents.chat.chat_settings import ChatSettings, Thinking
from tests.rise_trainers import small_models

FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One style: the template, and what the models that it belongs to say about their tokens."""

    file: str
    """Its file in `FOLDER`, without the suffix."""
    eos: str
    """The `eos_token` of the tokenizer."""
    bos: str | None = None
    """The `bos_token` of the tokenizer."""
    special: tuple[str, ...] = ()
    """More special tokens."""
    added: tuple[str, ...] = ()
    """Added tokens that are not special, such as <think>: decoding keeps them."""
    strips: tuple[str, ...] = ()
    """Those of the tokens that take the spaces and line breaks after them into themselves."""
    stops: tuple[str, ...] = ()
    """The tokens in `eos_token_id` of the generation config; () is the `eos_token` alone."""
    sampled: str
    """What a model samples: TEXT stands for the reply, THOUGHT for what it thinks before."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The arguments of the template."""
    thinking: Thinking = "template"
    """See `ChatSettings`."""
    system: str | None = None
    """A system message that the conversations begin with."""
    pieces: bool = False
    """Whether tokens are pieces that begin with a space mark, like those of SentencePiece, and not bytes."""

    @property
    def template(self) -> str:
        """The text of the template."""
        return (FOLDER / f"{self.file}.jinja").read_text()

    @property
    def published(self) -> bool:
        """Whether the template is one that models are published with, and no imitation."""
        return self.file.startswith("published/")

    @property
    def thinks(self) -> bool:
        """Whether the model thinks before it replies."""
        return "THOUGHT" in self.sampled

    @property
    def end(self) -> str:
        """The token at which the model stops."""
        return next(token for token in (*self.stops, self.eos) if self.sampled.endswith(token))

    def reply(self, text: str, thought: str = "") -> str:
        """Return what the model samples, with its stop token."""
        return self.sampled.replace("THOUGHT", thought).replace("TEXT", text)

    def tokenizer(self, *, pieces: bool | None = None) -> Any:
        """Return a small tokenizer with the tokens of the style.

        Args:
            pieces: Whether tokens are pieces; None is as the style says.
        """
        pieces = self.pieces if pieces is None else pieces
        return small_models.tokenizer(
            self.template,
            [*filter(None, [self.bos, self.eos]), *self.special, *self.stops],
            kind="pieces" if pieces else "bytes",
            bos=self.bos,
            end=self.eos,
            added=self.added,
            strips=self.strips,
        )

    def settings(self) -> ChatSettings:
        """Return what an agent is told about conversations."""
        return ChatSettings(template_options=self.options, thinking=self.thinking)

    def generation_config(self, tokenizer: Any) -> GenerationConfig:
        """Return the generation config of the model."""
        ids = tokenizer.convert_tokens_to_ids(list(self.stops or [self.eos]))
        return GenerationConfig(eos_token_id=ids)

    def chat(self) -> Chat:
        """Return how a model of this style reads conversations."""
        tokenizer = self.tokenizer()
        return Chat(tokenizer, self.generation_config(tokenizer), self.settings())

    def save(self, folder: Path) -> None:
        """Write the files of a model that say how it reads conversations."""
        tokenizer = self.tokenizer()
        tokenizer.save_pretrained(folder)
        self.generation_config(tokenizer).save_pretrained(folder)


def _published(name: str, **style: Any) -> Style:
    return Style(file=f"published/{name}", **style)


def _imitated(name: str, **style: Any) -> Style:
    return Style(file=f"imitated/{name}", **style)


_CHATML: Mapping[str, Any] = {
    "eos": "<|im_end|>",
    "special": ("<|im_start|>",),
    "stops": ("<|im_end|>", "<|endoftext|>"),
}
_THINK = ("<think>", "</think>")
_THOUGHT = "<think>\nTHOUGHT\n</think>\n\nTEXT<|im_end|>"
_OPENED = "THOUGHT\n</think>\n\nTEXT<|im_end|>"
_LLAMA3: Mapping[str, Any] = {
    "bos": "<|begin_of_text|>",
    "eos": "<|eot_id|>",
    "special": ("<|start_header_id|>", "<|end_header_id|>"),
    "sampled": "TEXT<|eot_id|>",
}
_PHI: Mapping[str, Any] = {
    "eos": "<|endoftext|>",
    "special": ("<|system|>", "<|user|>"),
    "stops": ("<|end|>", "<|assistant|>", "<|endoftext|>"),
    "sampled": "TEXT<|end|>",
}
_PHI3 = {**_PHI, "strips": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"), "pieces": True}
_DEEPSEEK: Mapping[str, Any] = {
    "bos": "<｜begin▁of▁sentence｜>",
    "eos": "<｜end▁of▁sentence｜>",
    "special": ("<｜User｜>", "<｜Assistant｜>"),
    "added": _THINK,
}
_GLM: Mapping[str, Any] = {
    "eos": "<|endoftext|>",
    "special": ("[gMASK]", "<sop>", "<|system|>", "<|assistant|>"),
    "added": _THINK,
    "stops": ("<|endoftext|>", "<|user|>", "<|observation|>"),
}
_COMMAND_A: Mapping[str, Any] = {
    "bos": "<BOS_TOKEN>",
    "eos": "<|END_OF_TURN_TOKEN|>",
    "special": (
        "<|START_OF_TURN_TOKEN|>",
        "<|SYSTEM_TOKEN|>",
        "<|USER_TOKEN|>",
        "<|CHATBOT_TOKEN|>",
        "<|START_RESPONSE|>",
        "<|END_RESPONSE|>",
        "<|START_THINKING|>",
        "<|END_THINKING|>",
    ),
}
_RESPONSE = "<|START_RESPONSE|>TEXT<|END_RESPONSE|><|END_OF_TURN_TOKEN|>"
_GEMMA: Mapping[str, Any] = {
    "bos": "<bos>",
    "eos": "<eos>",
    "special": ("<start_of_turn>",),
    "stops": ("<eos>", "<end_of_turn>"),
    "sampled": "TEXT<end_of_turn>",
}
_MISTRAL: Mapping[str, Any] = {"bos": "<s>", "eos": "</s>"}
_TEKKEN = ("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]")

STYLES: Mapping[str, Style] = {
    "qwen2.5": _published("qwen2.5", **_CHATML, sampled="TEXT<|im_end|>"),
    "qwen3": _published("qwen3", **_CHATML, added=_THINK, sampled=_THOUGHT),
    "qwen3, no thinking": _published(
        "qwen3", **_CHATML, added=_THINK, sampled="TEXT<|im_end|>", options={"enable_thinking": False}
    ),
    "qwen3, thinking=show": _published("qwen3", **_CHATML, added=_THINK, sampled=_THOUGHT, thinking="show"),
    "qwen3.5": _published("qwen3.5", **_CHATML, added=_THINK, sampled=_OPENED),
    "qwen3.6": _published("qwen3.6", **_CHATML, added=_THINK, sampled=_OPENED),
    "qwen3.6, thoughts kept": _published(
        "qwen3.6", **_CHATML, added=_THINK, sampled=_OPENED, options={"preserve_thinking": True}
    ),
    "deepseek-r1-distill": _published(
        "deepseek-r1-distill", **_DEEPSEEK, sampled="THOUGHT\n</think>\n\nTEXT<｜end▁of▁sentence｜>"
    ),
    "glm-4.5": _published("glm-4.5", **_GLM, sampled="\n<think>THOUGHT</think>\nTEXT<|user|>"),
    "glm-4.5, no thinking": _published(
        "glm-4.5", **_GLM, sampled="\nTEXT<|user|>", options={"enable_thinking": False}
    ),
    "gpt-oss": _published(
        "gpt-oss",
        eos="<|return|>",
        special=("<|start|>", "<|end|>", "<|message|>", "<|channel|>"),
        stops=("<|return|>", "<|endoftext|>", "<|call|>"),
        sampled="<|channel|>analysis<|message|>THOUGHT<|end|>"
        "<|start|>assistant<|channel|>final<|message|>TEXT<|return|>",
    ),
    "phi-3": _published("phi-3", **_PHI3),
    "phi-3.5": _published("phi-3.5", **_PHI3),
    "phi-4-reasoning": _published(
        "phi-4-reasoning", **{**_CHATML, "special": ("<|im_start|>", "<|im_sep|>")}, sampled=_THOUGHT
    ),
    "phi-4-reasoning, thinking=show": _published(
        "phi-4-reasoning",
        **{**_CHATML, "special": ("<|im_start|>", "<|im_sep|>")},
        sampled=_THOUGHT,
        thinking="show",
    ),
    "smollm2": _published("smollm2", **{**_CHATML, "stops": ("<|im_end|>",)}, sampled="TEXT<|im_end|>"),
    "mistral": _published("mistral-7b", **_MISTRAL, pieces=True, sampled=" TEXT</s>"),
    "mistral-small-3": _published("mistral-small-3", **_MISTRAL, special=_TEKKEN, sampled="TEXT</s>"),
    "llama-2": _imitated("llama-2", **_MISTRAL, pieces=True, sampled=" TEXT </s>"),
    "llama-3": _imitated("llama-3", **_LLAMA3, stops=("<|end_of_text|>", "<|eot_id|>")),
    "llama-3.1": _imitated("llama-3.1", **_LLAMA3, stops=("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>")),
    "gemma": _imitated("gemma", **_GEMMA),
    "gemma, system message": _imitated("gemma", **_GEMMA, system="Be brief."),
    "zephyr": _imitated("zephyr", **_MISTRAL, pieces=True, sampled="TEXT</s>"),
    "command-a": _imitated("command-a", **_COMMAND_A, sampled=_RESPONSE),
    "command-a-reasoning": _imitated(
        "command-a-reasoning",
        **_COMMAND_A,
        sampled="<|START_THINKING|>THOUGHT<|END_THINKING|>" + _RESPONSE,
    ),
    "nemotron-3": _imitated(
        "nemotron-3", **_CHATML, added=_THINK, sampled="THOUGHT\n</think>\nTEXT<|im_end|>"
    ),
    "magistral": _imitated(
        "magistral",
        **_MISTRAL,
        special=(*_TEKKEN, "[THINK]", "[/THINK]"),
        sampled="[THINK]THOUGHT[/THINK]TEXT</s>",
    ),
    "olmo-2": _imitated("olmo-2", bos="<|endoftext|>", eos="<|endoftext|>", sampled="TEXT<|endoftext|>"),
    "olmo-3-think": _imitated(
        "olmo-3-think",
        **{**_CHATML, "eos": "<|endoftext|>"},
        sampled="THOUGHT\n</think>\n\nTEXT<|endoftext|>",
    ),
    "granite-3.3": _imitated(
        "granite-3.3",
        eos="<|end_of_text|>",
        special=("<|start_of_role|>", "<|end_of_role|>"),
        sampled="TEXT<|end_of_text|>",
    ),
    "seed-oss": _imitated(
        "seed-oss",
        bos="<seed:bos>",
        eos="<seed:eos>",
        added=("<seed:think>", "</seed:think>"),
        sampled="<seed:think>THOUGHT</seed:think>TEXT<seed:eos>",
    ),
    "minimax-m2": _imitated(
        "minimax-m2",
        bos="]~!b[",
        eos="[e~[",
        special=("]~b]",),
        added=_THINK,
        sampled="THOUGHT\n</think>\n\nTEXT[e~[",
    ),
    "kimi-k2": _imitated(
        "kimi-k2",
        eos="[EOS]",
        special=("<|im_system|>", "<|im_user|>", "<|im_assistant|>", "<|im_middle|>"),
        stops=("<|im_end|>",),
        sampled="TEXT<|im_end|>",
    ),
    "smollm3": _imitated("smollm3", **_CHATML, added=_THINK, sampled=_THOUGHT),
    "smollm3, no thinking": _imitated(
        "smollm3", **_CHATML, added=_THINK, sampled="TEXT<|im_end|>", system="/no_think"
    ),
    "deepseek-v3.1": _imitated("deepseek-v3.1", **_DEEPSEEK, sampled="TEXT<｜end▁of▁sentence｜>"),
    "deepseek-v3.1, thinking": _imitated(
        "deepseek-v3.1",
        **_DEEPSEEK,
        sampled="THOUGHT</think>TEXT<｜end▁of▁sentence｜>",
        options={"thinking": True},
    ),
    "phi-4-mini": _imitated("phi-4-mini", **_PHI),
    "tiny": _imitated("tiny", eos="<end>", sampled="TEXT<end>"),
}
"""Name of a style -> its description."""

QWEN3 = STYLES["qwen3"].template


def parts(name: str) -> tuple[str, list[str], str]:
    """Return the template of a style, its special tokens, and the token that ends a reply."""
    style = STYLES[name]
    special = [*filter(None, [style.bos, style.eos]), *style.special, *style.stops]
    return style.template, special, style.end

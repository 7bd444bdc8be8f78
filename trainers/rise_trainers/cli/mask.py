"""`rise mask STORE`: shows which tokens of stored trajectories are trained, and with which weight.

    rise mask runs/base/collect.jsonl --model tiny --show 2 --weights exp_per_problem

Trained tokens are coloured by their weight, from red (small) over yellow to green (large), and blue where the
weight is negative, so that training makes the reply less likely. All other tokens are dim. Where the output
has no colours, as in a file, a trained reply is enclosed in ⟦ ⟧ with its weight. Tokens that were sampled in
another split than the tokenizer makes of their text are underlined, or enclosed in ‹ ›.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.text import Text

from rise_agents.chat.chat_settings import Thinking
from rise_env.errors import ConfigError
from rise_env.utils.config_parser import parse
from rise_trainers.data.encoding import Think
from rise_trainers.data.targets import Selection
from rise_trainers.data.tokenization import TokenSequence
from rise_trainers.data.weights import Array, Weighting
from rise_trainers.fitting.config import FitConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskConfig:
    """The settings of `rise mask`."""

    store: str
    """The store of trajectories to show."""
    model: str = "tiny"
    """The model whose tokenizer is used: a model folder, a hub id, or "tiny"."""
    show: int = 3
    """The number of sequences to show."""
    skip: int = 0
    """The number of sequences to skip before the first one that is shown."""
    tokens: bool = False
    """Separate tokens by a dot."""
    selection: Selection = field(default_factory=Selection)
    """Which turns are trained, and with which history."""
    weights: Weighting = "exp"
    """As in `rise fit`."""
    tau: float = 0.4
    """As in `rise fit`."""
    max_weight: float = 1e6
    """As in `rise fit`."""
    negative_weights: bool = False
    """As in `rise fit`."""
    mean_weight_one: bool = True
    """As in `rise fit`."""
    layout: Literal["auto", "per_turn"] = "auto"
    """As in `rise fit`."""
    think: Think = "keep"
    """As in `rise fit`."""
    revision: str | None = None
    """As in `rise fit`."""
    chat_template: str | None = None
    """As in `rise fit`."""
    template_options: Mapping[str, Any] | None = None
    """As in `rise fit`."""
    thinking: Thinking | None = None
    """As in `rise fit`."""
    date: str | None = None
    """As in `rise fit`."""
    allow_format_change: bool = False
    """As in `rise fit`."""
    max_length: int = 2048
    """As in `rise fit`."""


def main(argv: list[str]) -> int:
    """Run the command line; see the docstring of this module."""
    config = parse(MaskConfig, argv, prog="rise mask", positional="store")
    show(config, Console(highlight=False, markup=False, soft_wrap=True))
    return 0


def show(config: MaskConfig, console: Console) -> None:
    """Print sequences of the store with their trained tokens.

    Raises:
        ConfigError: The selection keeps no reply of the store.
    """
    from rise_env.trajectories.store import read_trajectories
    from rise_trainers.data.chat_format import load_fit_chat
    from rise_trainers.data.encoding import ChatTokenizer
    from rise_trainers.data.targets import select_targets
    from rise_trainers.data.tokenization import tokenize
    from rise_trainers.fitting.config import given_chat
    from rise_trainers.fitting.fit import check_inputs
    from rise_trainers.fitting.prepare_data import (
        first_agent,
        read_formats,
        target_weights,
        with_own_ids,
    )

    fit = as_fit(config)
    check_inputs(fit)
    formats = read_formats(fit.data)
    model_chat, chat_notes = load_fit_chat(given_chat(fit), formats, first_agent=first_agent(fit))
    targets = select_targets(read_trajectories(config.store), config.selection)
    if not targets:
        raise ConfigError(f"the selection keeps no reply of {config.store}: change --selection")
    weights = target_weights(fit, targets)
    targets = with_own_ids(targets, formats, model_chat)
    chat = ChatTokenizer(model_chat, think=config.think)
    found = tokenize(chat, targets, max_length=config.max_length, layout=config.layout)
    for note in (*found.notes, *chat_notes):
        console.print(note)
    highest = float(np.abs(weights).max()) or 1.0
    for sequence in islice(found.sequences, config.skip, config.skip + config.show):
        first = targets[sequence.spans[0].target]
        console.rule(f"{first.problem}  {len(sequence.ids)} tokens", style="dim")
        for span in sequence.spans:
            target = targets[span.target]
            drifted = f", {len(span.drifted)} of them sampled in another split" if span.drifted else ""
            console.print(
                f"turn {target.turn + 1}: reward {target.reward:g}, weight {weights[span.target]:.3f}, "
                f"{span.stop - span.start} of {len(sequence.ids)} tokens{drifted}"
            )
        plain = not console.is_terminal
        console.print(
            _coloured(sequence, weights, model_chat.tokenizer, highest, plain=plain, bars=config.tokens)
        )


def as_fit(config: MaskConfig) -> FitConfig:
    """Return the settings of a fit that trains the tokens that are shown."""
    return FitConfig(
        data=(config.store,),
        model=config.model,
        output="nowhere",
        selection=config.selection,
        weights=config.weights,
        tau=config.tau,
        max_weight=config.max_weight,
        negative_weights=config.negative_weights,
        mean_weight_one=config.mean_weight_one,
        layout=config.layout,
        think=config.think,
        revision=config.revision,
        chat_template=config.chat_template,
        template_options=config.template_options,
        thinking=config.thinking,
        date=config.date,
        allow_format_change=config.allow_format_change,
        max_length=config.max_length,
    )


def _coloured(
    sequence: TokenSequence, weights: Array, tokenizer: Any, highest: float, *, plain: bool, bars: bool
) -> Text:
    weight = np.full(len(sequence.ids), np.nan)
    for span in sequence.spans:
        weight[span.start : span.stop] = weights[span.target]
    pieces = _pieces(sequence.ids, tokenizer)
    text = Text()
    inside = False
    drifted = {place for span in sequence.spans for place in span.drifted}
    for place, piece in enumerate(pieces):
        trained = weight[place] != 0 and not np.isnan(weight[place])
        if plain and trained != inside:
            text.append(f"⟦{weight[place]:.2f}|" if trained else "⟧")
        inside = bool(trained)
        if bars and place:
            text.append("·", style="dim")
        style = _style(weight[place] / highest) if trained else "dim"
        if place in drifted:
            piece, style = (f"‹{piece}›", style) if plain else (piece, f"{style} underline")
        text.append(piece, style=style)
    if plain and inside:
        text.append("⟧")
    return text


def _pieces(ids: list[int], tokenizer: Any) -> list[str]:
    """Return the text of each token, so that the pieces together are the text of the sequence."""
    pieces = []
    for stop in range(1, len(ids) + 1):
        start = max(0, stop - 8)  # tokens may be parts of characters, or have leading spaces
        known = tokenizer.decode(ids[start : stop - 1])
        with_this = tokenizer.decode(ids[start:stop])
        piece = with_this[len(known) :] if with_this.startswith(known) else with_this[-1:]
        pieces.append(piece)
    return pieces


def _style(share: float) -> str:
    """Return a colour from red (0) over yellow (0.5) to green (1), or from dark (0) to light blue (-1)."""
    if share < 0:
        light = round(160 * min(-share, 1.0))
        return f"bold rgb({light},{light},255)"
    share = min(max(share, 0.0), 1.0)
    red = 255 if share < 0.5 else round(510 * (1 - share))
    green = 255 if share > 0.5 else round(510 * share)
    return f"bold rgb({red},{max(green, 40)},40)"

"""The table of chat templates in docs/trainer.md: whether a fit trains the tokens that were played.

    python -m tests.rise_trainers.template_table

writes it anew. Every row is played and trained; see `template_play`.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rise_env.errors import ConfigError
from rise_trainers.data.tokenization import Span, TokenSequence
from tests.rise_trainers.chat_templates import STYLES, Style
from tests.rise_trainers.template_play import QUESTION, REPLIES, THOUGHTS, Game, play, train
from tests.source_tree import ROOT

PAGE = ROOT / "docs" / "trainer.md"
BEGIN = "<!-- written by `make template-table` -->"
END = "<!-- end of the table -->"
COLUMNS = (
    "style",
    "template",
    "sequences",
    "prompt",
    "reply",
    "stop",
    "thoughts",
    "reply from text",
    "stop from text",
)
_YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was found for one style. An empty text means that all is well; others say what is wrong."""

    style: str
    published: bool
    refused: str = ""
    """Why the style cannot be played; the other fields are empty then."""
    question: str = ""
    """What stands between the question and the reply in the first prompt."""
    sampled: str = ""
    """What was sampled first."""
    stops: str = ""
    """The tokens at which sampling stops."""
    sequences: str = ""
    """The number of training sequences of the two turns."""
    prompt: str = ""
    """Whether the prompts have the same tokens in training as at play, with the sampled ids and from text."""
    reply: str = ""
    """Whether the trained tokens of each reply are those that were sampled."""
    stop: str = ""
    """Whether the last trained token is that at which sampling stopped."""
    thoughts: str | None = ""
    """Whether thoughts are kept, masked and dropped right; None if the model does not think."""
    text_reply: str = ""
    """As `reply`, if the fit has the text alone."""
    text_stop: str = ""
    """As `stop`, if the fit has the text alone."""

    @property
    def faults(self) -> list[str]:
        """What is wrong."""
        found = (self.prompt, self.reply, self.stop, self.thoughts, self.text_reply, self.text_stop)
        return [fault for fault in found if fault]

    def cells(self) -> Iterator[str]:
        """Yield the cells of the row in Markdown."""
        yield self.style
        yield "published" if self.published else "imitation"
        if self.refused:
            yield f"refused: {self.refused}"
            yield from [""] * (len(COLUMNS) - 3)
            return
        yield self.sequences
        yield self.prompt or _YES
        yield self.reply or _YES
        yield self.stop or _YES
        yield "none" if self.thoughts is None else self.thoughts or _YES
        yield self.text_reply or _YES
        yield self.text_stop or _YES


def row(name: str, style: Style) -> Row:
    """Play and train one style."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            game = play(style, Path(folder) / "usual")
        except ConfigError as error:
            reason = str(error).replace(str(Path(folder) / "usual" / "model"), name)
            return Row(style=name, published=style.published, refused=reason)
        unusual = play(style, Path(folder) / "unusual", unusual=True)
        decode = game.chat.tokenizer.decode
        trained, text = _trained(game), _trained(game, with_ids=False)
        return Row(
            style=name,
            published=style.published,
            question=decode(game.turns[0].prompt).rpartition(QUESTION)[2],
            sampled=decode(game.turns[0].sampled),
            stops=" ".join(game.chat.tokenizer.convert_ids_to_tokens(game.chat.stop_tokens)),
            sequences="one" if len(train(game).sequences) == 1 else "one per turn",
            prompt=_prompts(game, trained) or _prompts(game, text) or _prompts(unusual, _trained(unusual)),
            reply=_replies(game, trained) or _replies(unusual, _trained(unusual)),
            stop=_stops(game, trained),
            thoughts=_thoughts(game) if style.thinks else None,
            text_reply=_replies(game, text),
            text_stop=_stops(game, text),
        )


def rows() -> list[Row]:
    """Play and train every style."""
    return [row(name, style) for name, style in STYLES.items()]


def _trained(game: Game, *, with_ids: bool = True, think: str = "keep") -> list[tuple[TokenSequence, Span]]:
    """Return the trained tokens of each turn, with their sequence."""
    found = train(game, with_ids=with_ids, think=think)  # type: ignore[arg-type]
    pairs = [(sequence, span) for sequence in found.sequences for span in sequence.spans]
    return sorted(pairs, key=lambda pair: pair[1].target)


def _prompts(game: Game, trained: list[tuple[TokenSequence, Span]]) -> str:
    pairs = zip(game.turns, trained, strict=True)
    return "" if all(s.ids[: span.start] == turn.prompt for turn, (s, span) in pairs) else "differs"


def _replies(game: Game, trained: list[tuple[TokenSequence, Span]]) -> str:
    for turn, (sequence, span) in zip(game.turns, trained, strict=True):
        ids = sequence.ids[span.start : span.stop]
        if ids != turn.sampled:
            decode = game.chat.tokenizer.decode
            same = "".join(decode(ids).split()) == "".join(decode(turn.sampled).split())
            return "other spaces" if same else "differs"
    return ""


def _stops(game: Game, trained: list[tuple[TokenSequence, Span]]) -> str:
    pairs = zip(game.turns, trained, strict=True)
    return "" if all(s.ids[span.stop - 1] == turn.sampled[-1] for turn, (s, span) in pairs) else "differs"


def _thoughts(game: Game) -> str:
    """Return what goes wrong with thoughts that are kept, masked or dropped, with ids and from text."""
    decode = game.chat.tokenizer.decode
    for with_ids in (True, False):
        for turn, (sequence, span) in enumerate(_trained(game, with_ids=with_ids)):
            if THOUGHTS[turn] not in decode(sequence.ids[span.start : span.stop]):
                return "not kept"
        for turn, (sequence, span) in enumerate(_trained(game, with_ids=with_ids, think="mask")):
            trained = sequence.ids[span.start : span.stop]
            if THOUGHTS[turn] not in decode(sequence.ids[: span.start]):
                return "not shown before a masked reply"
            if not _is_reply(game, trained, turn):
                return "not masked"
            if with_ids and sequence.ids[: span.stop] != game.turns[turn].prompt + game.turns[turn].sampled:
                return "other ids before a masked reply"
        for turn, (sequence, span) in enumerate(_trained(game, with_ids=with_ids, think="drop")):
            if any(thought in decode(sequence.ids) for thought in THOUGHTS):
                return "not dropped"
            if not decode(sequence.ids[span.start : span.stop]).endswith(_ending(game, turn)):
                return "the reply changes where thoughts are dropped"
    return ""


def _is_reply(game: Game, ids: list[int], turn: int) -> bool:
    """Return whether tokens are a reply, with its stop token and no thought."""
    text = game.chat.tokenizer.decode(ids)
    return text.endswith(_ending(game, turn)) and game.chat.marks.close not in text


def _ending(game: Game, turn: int) -> str:
    return REPLIES[turn] + game.chat.end.text


def page(found: Sequence[Row]) -> str:
    """Return what the page says about the styles, in Markdown."""
    played = [row for row in found if not row.refused]
    return "\n".join(
        [
            *_table(COLUMNS, [list(row.cells()) for row in found]),
            "",
            "<details><summary>What each model samples after the question, and where it stops</summary>",
            "",
            *_table(
                ("style", "prompt after the question", "sampled and trained", "stop tokens"),
                [[row.style, *map(_code, (row.question, row.sampled, row.stops))] for row in played],
            ),
            "",
            "</details>",
        ]
    )


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---"] * len(head)
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *body)]


def _code(text: str) -> str:
    """Return a text as code in a cell of a table, with its line breaks as \\n."""
    return f"`{text.replace(chr(10), chr(92) + 'n').replace('|', chr(92) + '|')}`"


def written() -> str:
    """Return the part of the page that the command writes."""
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def main() -> None:
    """Replace that part of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{page(rows())}\n\n{END}{after}")


if __name__ == "__main__":
    main()

"""A random model of the embedded one's architecture, with a tokenizer and a chat template."""

from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rise_env.envs import prompts
from rise_env.problems.arithmetic.generator import ArithmeticProblems

SPECIAL = ["<pad>", "<system>", "<user>", "<assistant>", "<end>"]
TEMPLATE = (
    "{%- for message in messages -%}<{{ message['role'] }}>{{ message['content'] }}<end>{%- endfor -%}"
    "{%- if add_generation_prompt -%}<assistant>{%- endif -%}"
)


def make_tokenizer(vocabulary: int = 512) -> PreTrainedTokenizerFast:
    """Byte-level BPE, digits one by one, trained on a few generated problems."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    problems = ArithmeticProblems(split="train")
    texts = [prompts.FIRST.format(question=problems[i].question) for i in range(200)]
    texts += [problems[i].solution or "" for i in range(200)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>")
    fast.chat_template = TEMPLATE
    return fast


def save_random_model(
    folder: Path, *, width: int = 64, layers: int = 2, context: int = 1024, sharpness: float = 30.0
) -> Path:
    """Save a random model whose next tokens are as uncertain as a language model's; return the folder."""
    tokenizer = make_tokenizer()
    generator = torch.Generator().manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=width // 32,
        max_position_embeddings=context,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.02 * sharpness / 8)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

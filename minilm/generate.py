"""How does a model write? One token at a time, drawn from its own guesses.

The ideas in order: logits become probabilities, sharpened or flattened by a temperature and cut to the likely few (`next_token_probs`);
one token is drawn and read by the model, whose caches remember all that came before (`generate_ids`); the tokens come out as text while
it is being written (`generate`).

Built by hand in: chapter 07. Left out on purpose: beam search, repetition penalties, many stories at once.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from minilm.config import check_sampling, check_seed
from minilm.model import Transformer
from minilm.tokenizer import Tokenizer


def next_token_probs(logits: Tensor, *, temperature: float = 0.8, top_k: int | None = None, top_p: float = 0.95,
                     min_p: float = 0.0) -> Tensor:  # fmt: skip
    """Turn logits (V,) into the probabilities (V,) that the next token is drawn from.

    temperature: below 1 the likely becomes likelier; 0 leaves only the likeliest. top_k: keep that many of the likeliest. top_p: keep the
    likeliest that together hold this share, the one that reaches it included. min_p: keep tokens at least this share as likely as the
    likeliest. A token must pass all three, each a condition on the same probabilities, those after temperature; Hugging Face makes the kept
    ones sum to 1 after each filter, so there top_k and top_p together can keep fewer. Raises ValueError for a value that leaves no token.
    Source: docs/SOURCES.md#nucleus, docs/SOURCES.md#minp

    >>> next_token_probs(torch.tensor([2.0, 1.0, 0.0]).log(), temperature=1.0, top_p=1.0).tolist()
    [0.6666666865348816, 0.3333333432674408, 0.0]
    """
    check_sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    if temperature == 0:
        return torch.zeros_like(logits).index_fill_(0, logits.argmax(), 1.0)
    # Subtracting the maximum changes nothing and keeps a temperature close to 0 from making infinities.
    probs = ((logits - logits.max()) / temperature).softmax(dim=-1)
    ranked, order = probs.sort(descending=True, stable=True)
    before = ranked.cumsum(dim=-1) - ranked  # what the likelier tokens hold together
    kept = ranked >= min_p * ranked[0]
    if top_p < 1:
        kept &= before < top_p
    if top_k is not None:
        kept[top_k:] = False
    probs[order[~kept]] = 0.0
    return probs / probs.sum()


@torch.no_grad()
def generate_ids(model: Transformer, ids: list[int], *, max_new_tokens: int = 200, temperature: float = 0.8, top_k: int | None = None,
                 top_p: float = 0.95, min_p: float = 0.0, seed: int = 0) -> Iterator[int]:  # fmt: skip
    """Continue a row of ids, yielding each new id as it is drawn.

    ids: at least one. When the context is full, the older half of it is forgotten. The same seed gives the same ids on one machine; another
    processor may round differently and so, now and then, choose another word.
    """
    if not ids:
        raise ValueError("ids is empty; begin with the end-of-text id to have a text from its start")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}; it must be at least 1")
    check_seed(seed)
    context_length, device = model.config.context_length, model.embed.weight.device
    generator = torch.Generator().manual_seed(seed)
    ids, unread, caches = list(ids)[-context_length:], 0, model.new_caches()
    for _ in range(max_new_tokens):
        if len(ids) > context_length:
            ids, unread, caches = ids[-max(1, context_length // 2) :], 0, model.new_caches()
        logits = model(torch.tensor([ids[unread:]], device=device), caches)[0, -1].float().cpu()
        unread = len(ids)
        probs = next_token_probs(logits, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
        ids.append(torch.multinomial(probs, 1, generator=generator).item())
        yield ids[-1]


def generate(model: Transformer, tokenizer: Tokenizer, prompt: str = "", *, max_new_tokens: int = 200, temperature: float = 0.8,
             top_k: int | None = None, top_p: float = 0.95, min_p: float = 0.0, seed: int = 0) -> Iterator[str]:  # fmt: skip
    """Write on from a prompt, yielding the new text piece by piece until the story ends.

    The prompt itself is not repeated. A letter whose bytes are spread over tokens comes out when its last byte does; bytes that are no
    UTF-8 come out as the replacement character. Raises ValueError for settings that `next_token_probs` or the tokenizer refuses.
    """
    prompt_ids = [tokenizer.end_of_text, *tokenizer.encode(prompt)]
    settings = {"max_new_tokens": max_new_tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p, "seed": seed}
    return tokenizer.decode_stream(generate_ids(model, prompt_ids, **settings))

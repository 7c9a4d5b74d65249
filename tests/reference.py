"""Slow twins, written as the formulas stand: loops over plain numbers. The fast code must equal them; nothing here imports minilm."""

import cmath
import math

import numpy as np


def rotated(x: np.ndarray, position: int, theta: float) -> np.ndarray:
    """Turn one vector (D,) to a position: coordinates i and i + D/2 are one complex number, times e^(i angle)."""
    half = len(x) // 2
    out = np.empty(len(x))
    for i in range(half):
        turned = complex(x[i], x[i + half]) * cmath.exp(1j * position / theta ** (2 * i / len(x)))
        out[i], out[i + half] = turned.real, turned.imag
    return out


def causal_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Attend query by query: q (B, H, T, D) holds the last T of the S positions of k and v (B, K, S, D)."""
    n_batch, n_heads, n_queries, head_dim = q.shape
    n_kv_heads, n_keys = k.shape[1:3]
    out = np.zeros(q.shape)
    for b in range(n_batch):
        for head in range(n_heads):
            kv_head = head // (n_heads // n_kv_heads)
            for t in range(n_queries):
                position = n_keys - n_queries + t
                scores = [sum(q[b, head, t] * k[b, kv_head, s]) / head_dim**0.5 for s in range(position + 1)]
                weights = [math.exp(score - max(scores)) for score in scores]
                for s in range(position + 1):
                    out[b, head, t] += weights[s] / sum(weights) * v[b, kv_head, s]
    return out


def mean_cross_entropy(logits: list[list[float]], targets: list[int]) -> float:
    """Average over tokens of -ln softmax(logits)[target]."""
    nats = 0.0
    for row, target in zip(logits, targets, strict=True):
        nats -= row[target] - math.log(math.fsum(math.exp(logit) for logit in row))
    return nats / len(targets)


def newton_schulz(matrix: np.ndarray, n_steps: int = 5) -> np.ndarray:
    """Muon's polynomial, applied to each singular value by itself: what its matrix products are short for."""
    u, values, v_transposed = np.linalg.svd(matrix, full_matrices=False)
    values = values / np.sqrt((values**2).sum())
    for _ in range(n_steps):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return u @ np.diag(values) @ v_transposed


def nats_token_by_token(logits_of, ids: list[int], context_length: int, first: int) -> float:
    """Sum the nats of every id in a row, asking anew for each what `logits_of(context)`, a list of scores, gives after the ids of its window so far.

    Windows of context_length tokens do not overlap; the first token of each is predicted from the id before it, that of the row from `first`.
    """
    nats = 0.0
    for i, target in enumerate(ids):
        begin = i - i % context_length
        context = [ids[begin - 1] if begin else first, *ids[begin:i]]
        logits = logits_of(context)
        top = max(logits)
        nats += top + math.log(sum(math.exp(logit - top) for logit in logits)) - logits[target]
    return nats


def byte_pair_steps(pre_tokens: dict[str, int]):
    """Yield every merge of byte-pair encoding and its count: count all pairs anew, take the most frequent, of equals the greatest, and merge it."""
    words = [([bytes([byte]) for byte in word.encode()], count) for word, count in pre_tokens.items()]
    while True:
        counts = {}
        for parts, count in words:
            for i in range(len(parts) - 1):
                counts[parts[i], parts[i + 1]] = counts.get((parts[i], parts[i + 1]), 0) + count
        if not counts:
            return
        pair = max(counts, key=lambda pair: (counts[pair], pair))
        yield pair, counts[pair]
        words = [(with_merge(parts, pair), count) for parts, count in words]


def counts_of_merges(pre_tokens: dict[str, int], merges: list[tuple[bytes, bytes]]) -> list[int]:
    """Apply merges that somebody else chose, and count the pair of each just before it is merged."""
    words = [([bytes([byte]) for byte in word.encode()], count) for word, count in pre_tokens.items()]
    found = []
    for pair in merges:
        found.append(0)
        for i, (parts, count) in enumerate(words):
            if pair[0] in parts and pair[1] in parts:
                found[-1] += count * sum(parts[j : j + 2] == list(pair) for j in range(len(parts)))
                words[i] = with_merge(parts, pair), count
    return found


def with_merge(parts: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """Merge a pair wherever it stands, from left to right."""
    out, i = [], 0
    while i < len(parts):
        n = 2 if parts[i : i + 2] == list(pair) else 1
        out.append(b"".join(parts[i : i + n]))
        i += n
    return out


def kneser_ney(train: list[int], text: list[int], vocab_size: int, order: int) -> list[float]:
    """Interpolated Kneser-Ney, token by token: counts in dictionaries, the recursion as it stands in the textbooks."""
    grams = {n: [tuple(train[i : i + n]) for i in range(len(train) - n + 1)] for n in range(1, order + 1)}
    counts: dict[int, dict] = {}
    for n in grams:
        counts[n] = {}
        for gram in grams[n] if n == order else [gram[1:] for gram in set(grams[n + 1])]:  # below the top: different tokens before it
            counts[n][gram] = counts[n].get(gram, 0) + 1

    def discount(n: int) -> float:
        ones, twos = (sum(count == k for count in counts[n].values()) for k in (1, 2))
        return ones / (ones + 2 * twos) if ones else 0.5

    def probability(context: tuple, token: int) -> float:
        n = len(context) + 1
        shorter = probability(context[1:], token) if context else 1 / vocab_size
        after = {gram: count for gram, count in counts[n].items() if gram[:-1] == context}
        total = sum(after.values())
        if total == 0:
            return shorter
        d = discount(n)
        return (max(after.get((*context, token), 0) - d, 0) + d * len(after) * shorter) / total

    return [probability(tuple(text[max(0, i - order + 1) : i]), token) for i, token in enumerate(text)]

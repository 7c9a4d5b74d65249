"""How wrong is a guess? Cross-entropy, once as the formula says and once without ever holding all the logits.

A vocabulary of 4,096 makes the logits of a batch the largest tensor of a training step by far. But their gradient is known in
closed form, softmax(logits) - one_hot(target), so loss and gradient can both be made chunk by chunk in one pass, and each chunk forgotten.

Built by hand in: chapter 03 (the gradient) and chapter 06 (the chunks). Left out on purpose: label smoothing, ignored targets.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK_SIZE = 128  # tokens whose logits exist at one time; 128 to 512 are about equally fast on a CPU, fewer are slower


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean nats per token of targets (B, T) under logits (B, T, V).

    >>> cross_entropy(torch.zeros(1, 3, 8), torch.tensor([[1, 2, 3]])).item() == torch.tensor(8.0).log().item()
    True
    """
    return F.cross_entropy(logits.flatten(0, -2).float(), targets.flatten())


def chunked_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, chunk_size: int = CHUNK_SIZE) -> Tensor:
    """The same mean, from what the head reads: hidden (B, T, C), the head's weight (V, C), targets (B, T).

    Memory is chunk_size x V instead of B x T x V, and the gradient is exact.
    """
    return _ChunkedCrossEntropy.apply(hidden.flatten(0, -2), weight, targets.flatten(), chunk_size)


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Forward makes loss and gradients together; backward only scales them."""

    @staticmethod
    def forward(ctx, hidden: Tensor, weight: Tensor, targets: Tensor, chunk_size: int) -> Tensor:
        # Autocast would cast the weight anew for every chunk; its choice of precision is made here once.
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
        head, inputs = weight.to(dtype), hidden.to(dtype)
        grad_hidden, grad_weight = torch.empty_like(hidden), torch.zeros_like(weight)
        nats = torch.zeros((), device=hidden.device)
        logits = inputs.new_empty(min(chunk_size, len(inputs)), len(head))  # used by every chunk: fresh memory costs a CPU dear
        for start in range(0, len(inputs), chunk_size):
            chunk = slice(start, start + chunk_size)
            x, target = inputs[chunk], targets[chunk, None]
            scores = torch.mm(x, head.T, out=logits[: len(x)]).float()  # (chunk, V)
            log_probs = torch.log_softmax(scores, -1, out=scores)
            nats -= log_probs.gather(1, target).sum()
            # From here on the same memory holds the gradient of the sum: softmax minus one-hot.
            grad = log_probs.exp_().scatter_add_(1, target, torch.full_like(target, -1, dtype=torch.float32)).to(dtype)
            grad_hidden[chunk] = grad @ head
            if dtype == weight.dtype:
                grad_weight.addmm_(grad.T, x)
            else:
                grad_weight += grad.T @ x  # made in bfloat16, summed in float32
        ctx.save_for_backward(grad_hidden, grad_weight)
        ctx.n_tokens = len(inputs)
        return nats / ctx.n_tokens

    @staticmethod
    def backward(ctx, grad_loss: Tensor):
        scale = grad_loss / ctx.n_tokens
        grad_hidden, grad_weight = ctx.saved_tensors
        return grad_hidden.mul_(scale), grad_weight.mul_(scale), None, None  # in place: the weight's is the largest tensor of the step

"""The trained network: its gradients are autograd's, its costs those of the exact backend."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nacrith.correction.evaluate import bits_per_token  # noqa: E402
from nacrith.correction.pack import packed  # noqa: E402
from predictors.language_models.correction.attention import Attention  # noqa: E402
from predictors.language_models.correction.attention_by_blocks import (  # noqa: E402
    AttentionByBlocks,
)
from predictors.language_models.correction.attention_fused import FusedAttention  # noqa: E402
from predictors.language_models.correction.factors import SCALE, Factors  # noqa: E402
from predictors.language_models.correction.frozen import read_frozen  # noqa: E402
from predictors.language_models.correction.matrices import matrices  # noqa: E402
from predictors.language_models.correction.network import Network  # noqa: E402
from predictors.language_models.correction.trainer import shifted  # noqa: E402
from predictors.language_models.exact.model import ExactModel  # noqa: E402
from predictors.language_models.file_hash import sha256_of  # noqa: E402

# More than one block of queries.
LENGTH = 512


@pytest.fixture(autouse=True)
def not_compiled():
    torch.compiler.set_stance("force_eager")
    yield
    torch.compiler.set_stance("default")


@pytest.fixture(scope="module")
def frozen(tiny_gguf):
    return read_frozen(tiny_gguf)


@pytest.fixture
def network(frozen):
    factors = Factors(frozen.shape, 4)
    factors.initialize(1)
    generator = torch.Generator().manual_seed(2)
    for b in factors.b.values():
        b.normal_(std=0.1, generator=generator)
    return Network(frozen, factors)


@pytest.fixture(scope="module")
def targets(frozen):
    generator = torch.Generator().manual_seed(3)
    return torch.randint(3, frozen.shape.vocabulary, (2, LENGTH), generator=generator)


def plain_loss(frozen, a, b, inputs, targets):
    """The sum of the losses in float32 by PyTorch's own means."""
    s = frozen.shape
    functional = torch.nn.functional
    batch, length = inputs.shape
    cosines, sines = frozen.rotation(length)
    x = frozen.embedding[inputs]

    def norm(x, gain):
        return functional.rms_norm(x, (s.width,), gain, frozen.epsilon)

    def linear(x, name, layer):
        return x @ (frozen.matrices[name][layer] + SCALE * b[name][layer] @ a[name][layer]).T

    def turned(x):
        turn = torch.complex(cosines, sines)
        pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
        return torch.view_as_real(pairs * turn).flatten(-2)

    for layer in range(s.layers):
        qkv = linear(norm(x, frozen.attention_norm[layer]), "qkv", layer)
        heads = qkv.view(batch, length, -1, s.head_size)
        q, k, v = heads.split([s.heads, s.kv_heads, s.kv_heads], 2)
        attended = functional.scaled_dot_product_attention(
            turned(q).transpose(1, 2), turned(k).transpose(1, 2), v.transpose(1, 2),
            is_causal=True, enable_gqa=True,
        )  # fmt: skip
        x = x + linear(attended.transpose(1, 2).flatten(-2), "output", layer)
        gates, values = linear(norm(x, frozen.ffn_norm[layer]), "gate_up", layer).chunk(2, -1)
        x = x + linear(functional.silu(gates) * values, "down", layer)
    logits = norm(x, frozen.output_norm) @ frozen.head.T
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")


def test_gradients_are_those_of_autograd(frozen, network, targets):
    inputs = shifted(targets, 0)
    f = network.factors
    a = {name: part.clone().requires_grad_() for name, part in f.a.items()}
    b = {name: part.clone().requires_grad_() for name, part in f.b.items()}
    expected = plain_loss(frozen, a, b, inputs, targets)
    expected.backward()
    loss = network.add_gradients(inputs, targets)
    assert math.isclose(loss, expected.item(), rel_tol=2e-3)
    for name in matrices(frozen.shape):
        for found, there in ((f.a_gradient[name], a[name]), (f.b_gradient[name], b[name])):
            for layer in range(frozen.shape.layers):
                error = (found[layer] - there.grad[layer]).norm() / there.grad[layer].norm()
                assert error < 0.03, name
    assert math.isclose(float(network.losses(inputs, targets).sum()), loss, rel_tol=1e-5)


def test_the_attention_of_gpus_is_that_of_processors(frozen):
    shape, size = frozen.shape, torch.Size((2, LENGTH))
    width = shape.heads * shape.head_size
    generator = torch.Generator().manual_seed(4)
    columns = width + 2 * shape.kv_heads * shape.head_size
    qkv, slope = (
        torch.randn(2 * LENGTH, n, generator=generator).bfloat16() for n in (columns, width)
    )
    found = []
    both: tuple[Attention, Attention] = AttentionByBlocks(shape), FusedAttention(shape)
    for attention in both:
        with torch.no_grad():
            out, kept = attention.forward(qkv, size, frozen.rotation(LENGTH))
            back = attention.backward(kept, slope, size, frozen.rotation(LENGTH))
        found.append((out.float(), back.float()))
    for blocks, fused in zip(*found, strict=True):
        assert (blocks - fused).norm() < 0.01 * blocks.norm()


def test_gradients_add_up(network, targets):
    inputs = shifted(targets, 0)
    network.add_gradients(inputs, targets)
    together = network.factors.gradient.clone()
    network.factors.gradient.zero_()
    for i in range(len(targets)):
        network.add_gradients(inputs[i : i + 1], targets[i : i + 1])
    error = (network.factors.gradient - together).norm() / together.norm()
    assert error < 0.01


def test_the_exact_backend_costs_the_same(network, targets, tiny_gguf, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    expected = float(network.losses(shifted(targets, 0), targets).mean()) / math.log(2)
    correction = packed(network.factors, network.frozen.shape, sha256_of(tiny_gguf))
    costs = []
    for used in (correction, None):
        model = ExactModel(tiny_gguf, 1, used)
        assert model.vocabulary.start_token == 0
        costs.append(bits_per_token(model, targets.numpy().astype(np.int64)))
        model.close()
    assert math.isclose(costs[0], expected, rel_tol=2e-3)
    assert abs(costs[0] - expected) < 0.1 * abs(costs[1] - expected)

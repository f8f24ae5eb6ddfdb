"""The parts of the exact backend in PyTorch, each beside the kernels' or beside brute force."""

import numpy as np
import pytest

from predictors.language_models.exact import exp2, linear, rounding
from predictors.language_models.exact.cache import first_kept, slot_of
from predictors.language_models.exact.shape import Shape
from tests import exact_reference
from tests.outlier_rows import SIZES, outlier_rows
from tests.torch_devices import DEVICES, torch

SHAPE = Shape(
    layers=1, width=40, heads=2, kv_heads=1, head_size=20, ffn_size=40, vocabulary=99, rope_pairs=10
)


def extreme_rows(rows: int = 400, k: int = 40) -> np.ndarray:
    """[rows, k] float32 of all magnitudes, with halves, zeros and subnormal numbers among them."""
    random = np.random.default_rng(7)
    exponents = random.uniform(-149, 120, (rows, 1)) + random.uniform(-30, 0, (rows, k))
    found = random.standard_normal((rows, k)) * 2.0**exponents
    found[:50] = random.integers(-9, 10, (50, k)) / 2
    found[50] = 0
    found[51, 3] = 2.0**-149
    # The largest that a limit is for: rounded up, it would be one more.
    found[52, 5] = np.nextafter(np.float32(2), np.float32(1))
    return np.clip(found, -(2.0**127), 2.0**127).astype(np.float32)


@pytest.fixture(params=DEVICES)
def device(request):
    from predictors.language_models.exact_torch.device import find_device, use_ieee_arithmetic

    use_ieee_arithmetic()
    return find_device(request.param)


@pytest.fixture
def constants(device):
    from predictors.language_models.exact_torch.constants import new_constants

    return new_constants(SHAPE, float(np.float32(1e-5)), device)


@pytest.mark.parametrize("bits", [15, 11, 20])
def test_rows_are_rounded_as_by_the_kernels(device, bits):
    from predictors.language_models.exact_torch.rounding import round_rows

    rows = extreme_rows()
    found = round_rows(torch.from_numpy(rows).to(device), bits)
    values = np.zeros(rows.shape[1], dtype=np.int32)
    for i, row in enumerate(rows):
        assert rounding.round_row(row, len(row), bits, values) == found.unit[i, 0]
        assert np.array_equal(found.values[i].cpu().numpy(), values)


@pytest.mark.parametrize("bits", [15, 14, 11, 6])
@pytest.mark.parametrize("k", SIZES)
def test_rows_with_outliers_are_rounded_as_specified(device, bits, k):
    from predictors.language_models.exact_torch.rounding import round_outliers

    rows = outlier_rows(k)
    found = round_outliers(torch.from_numpy(rows).to(device), bits)
    for i, row in enumerate(rows):
        values, unit = exact_reference.round_outliers(row, bits)
        assert found.unit[i, 0] == unit
        assert np.array_equal(found.values[i].cpu().numpy(), values)
    assert np.array_equal(found.top[:, 0].cpu().numpy(), np.abs(rows).max(axis=1))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_noticed(device, value):
    from predictors.language_models.exact_torch.rounding import round_outliers, round_rows

    rows = np.tile(np.arange(12, dtype=np.float32), (13, 1))
    # One row has none.
    rows[np.arange(12), np.arange(12)] = value
    there = torch.from_numpy(rows).to(device)
    for rounded in (round_outliers(there, 15), round_rows(there, 15)):
        assert torch.isfinite(rounded.top)[:, 0].tolist() == [False] * 12 + [True]


def test_norms_are_those_of_the_kernels(device, constants):
    from predictors.language_models.exact_torch.norm import normalize

    rows = extreme_rows()
    gain = np.random.default_rng(8).standard_normal(len(rows[0])).astype(np.float32)
    there = torch.from_numpy(rows).to(device)
    found = normalize(there, torch.from_numpy(gain).to(device), constants, [])
    out, integers = np.zeros_like(gain), np.zeros(len(gain), dtype=np.int32)
    for i, row in enumerate(rows):
        linear.normalize(row, gain, np.float64(np.float32(1e-5)), integers, out)
        assert np.array_equal(found[i].cpu().numpy().view(np.int32), out.view(np.int32)), row


def test_gates_are_those_of_the_kernels(device, constants):
    from predictors.language_models.exact_torch.gating import gated

    random = np.random.default_rng(9)
    sizes = np.exp2(random.uniform(-30, 8, 20_000))
    gates = (random.standard_normal(len(sizes)) * sizes).astype(np.float32)
    ups = random.standard_normal(len(gates)).astype(np.float32)
    found = gated(torch.from_numpy(gates).to(device), torch.from_numpy(ups).to(device), constants)
    expected = [g * exp2.sigmoid(g) * u for g, u in zip(gates, ups, strict=True)]
    expected_bits = np.array(expected, dtype=np.float32).view(np.int32)
    assert np.array_equal(found.cpu().numpy().view(np.int32), expected_bits)


def test_weights_by_distance_are_those_of_the_specification(constants):
    powers = constants.powers.cpu().numpy()
    assert np.array_equal(powers, exact_reference.exp2_negative(np.arange(len(powers))))
    assert powers[-1] == exact_reference.exp2_negative(np.array([(1 << 30) + (1 << 22)])) == 0


@pytest.mark.parametrize("uses_int8", [True, False])
@pytest.mark.parametrize(("rows", "n", "k"), [(1, 8, 12), (17, 40, 576), (40, 33, 4097)])
def test_products_are_exact_at_the_limits(device, uses_int8, rows, n, k):
    from predictors.language_models.exact_torch.product import Product, limbs_of

    random = np.random.default_rng(rows)
    weights = random.choice(np.array([-127, 127, 3], dtype=np.int8), (n, k))
    weights[0], weights[1] = 127, -127
    values = random.choice(np.array([-32767, 32767, 1, -129], dtype=np.int32), (rows, k))
    values[0] = 32767
    product = Product(torch.from_numpy(weights).to(device), uses_int8)
    found = product(limbs_of(torch.from_numpy(values.astype(np.float32)).to(device)), rows)
    expected = values.astype(np.int64) @ weights.T.astype(np.int64)
    # As the kernels: modulo 2**32.
    assert np.array_equal(found.cpu().numpy(), expected.astype(np.int32))


def test_a_device_with_wrong_int8_products_gets_others(monkeypatch):
    from predictors.language_models.exact_torch import product

    def saturating(a, b):
        return (a.int() @ b.int()).clamp(-(1 << 15), (1 << 15) - 1)

    here = torch.device("cpu")
    with monkeypatch.context() as patch:
        patch.setattr(torch, "_int_mm", saturating)
        assert product._is_exact(here, False) and not product._is_exact(here, True)

        def missing(a, b):
            raise RuntimeError("not implemented")

        patch.setattr(torch, "_int_mm", missing)
        assert not product._is_exact(here, True)


@pytest.mark.parametrize("slots", [16, 518, 519, 1056, 4261, 20_000])
def test_limbs_of_weights_are_small_enough(slots):
    from predictors.language_models.exact_torch.attention import _limbs, _weight_limbs

    bits, count = _weight_limbs(slots)
    assert ((1 << bits) - 1) * 127 * slots < 1 << 24 and bits * count >= 15
    integers = torch.tensor([[[0.0, 1.0, 31_000.0, 32_767.0]]])
    limbs = _limbs(integers, bits, count).view(count, -1)
    assert limbs.min() >= 0 and limbs.max() < 1 << bits
    worth = torch.tensor([float(1 << bits * i) for i in reversed(range(count))])
    assert torch.equal((limbs * worth[:, None]).sum(0), integers.flatten())


@pytest.mark.parametrize(("sinks", "window", "ahead"), [(4, 32, 1), (0, 32, 5), (17, 64, 16)])
def test_what_a_position_sees(sinks, window, ahead):
    """Beside a dictionary of which position each slot holds."""
    from predictors.language_models.exact_torch.cache import new_slots

    slots = new_slots(sinks, window, ahead)
    held: dict[int, int] = {}
    for begin in range(0, 300, ahead):
        positions = np.arange(begin, begin + ahead)
        for p in positions.tolist():
            slot = slot_of(p, sinks, slots.ring)
            assert slots.of(np.array([p])) == slot < slots.total
            held[slot] = p
        used = slots.used(begin + ahead)
        assert max(held) < used <= slots.total
        unseen = slots.unseen(positions, used)
        for row, p in zip(unseen, positions.tolist(), strict=True):
            first = first_kept(p, sinks, window)
            seen = {q for q in range(p + 1) if q < sinks or q >= first}
            assert {held[slot] for slot in np.nonzero(~row)[0].tolist()} == seen


def test_memory_is_what_is_said(device):
    from predictors.language_models.exact_torch.cache import new_cache, new_slots
    from predictors.language_models.exact_torch.memory import (
        row_bytes,
        stream_bytes,
        streams_that_fit,
    )

    cache = new_cache(SHAPE, 3, new_slots(4, 64, 5).total, device)
    assert sum(part.nbytes for part in cache) == 3 * stream_bytes(SHAPE, 64, 4, 5)
    each = stream_bytes(SHAPE, 64, 4) + row_bytes(SHAPE)
    few = streams_that_fit(SHAPE, 64, 4, 2 << 30)
    assert streams_that_fit(SHAPE, 64, 4, (2 << 30) + 10 * each) == few + 10
    assert streams_that_fit(SHAPE, 64, 4, 1 << 20) == 1


# What waits for the device, or depends on what is there.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "item")


def evaluations(session, tokens):
    """What a session evaluates of these tokens, with what it reads and writes."""
    from predictors.language_models.exact_torch.replay import eager

    found = []

    def noted(evaluation, batch, cache, results):
        found.append((evaluation, batch, cache, results))
        return eager(evaluation, batch, cache, results)

    session._evaluator._recorder = noted
    for row in tokens:
        session.step(row)
    return found


def test_a_step_never_waits(tiny_gguf):
    from torch.utils._python_dispatch import TorchDispatchMode

    from predictors.language_models.exact_torch.model import TorchModel

    seen: list[str] = []

    class Watching(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return func(*args, **(kwargs or {}))

    session = TorchModel(tiny_gguf, 1).open(2, 64, 4)
    ((evaluate, *tensors),) = evaluations(session, np.array([[5, 6]], dtype=np.int32))
    with Watching(), torch.no_grad():
        evaluate(*tensors)
    assert len(seen) > 200 and "aten.bmm.default" in seen
    assert not [name for name in seen if name.split(".")[1] in WAITING]


def test_a_recorded_step_serves_for_other_positions(tiny_gguf):
    """Traced as operations on tensors and replayed: what a CUDA graph does, on the CPU."""
    from torch.fx.experimental.proxy_tensor import make_fx

    from predictors.language_models.exact_torch.model import TorchModel

    def traced(evaluation, batch, cache, results):
        before = [part.clone() for part in cache]
        graph = make_fx(evaluation)(batch, cache, results)
        for part, kept in zip(cache, before, strict=True):
            part.copy_(kept)
        return lambda: graph(batch, cache, results)

    model = TorchModel(tiny_gguf, 1)
    fed = np.random.default_rng(5).integers(3, 270, (150, 3)).astype(np.int32)
    session, other = model.open(3, 64, 4), model.open(3, 64, 4, ahead=1)
    session._evaluator._recorder = traced
    session._evaluator._slot_step = 64
    addresses = set()
    for row in fed:
        assert np.array_equal(session.step(row), other.step(row))
        addresses |= {part.data_ptr() for part in session._evaluator.results}
    # One while the window fills, one afterwards; results are always where they were.
    assert session._evaluator.recordings == 2 and len(addresses) == 3

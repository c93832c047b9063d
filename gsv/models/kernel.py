"""A step of decoding as compiled code: a token for each of some rows through all layers of the transformer.

It knows arrays and nothing of networks. Reading the weights is what takes the time, so every one is read once, in the
few bits that it is kept in, and widened in a register; all sums are in 32 bits. A row's sums do not depend on the other
rows. Several threads share a step: each calls it with its own number and works out its share of the outputs of every
layer, and they wait for each other where one needs what another made.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import carray, from_dtype, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from gsv.models import machine_code
from gsv.models.machine_code import COME, GIVEN, GIVEN_UP

# Numbers that a product takes at once; processors whose registers hold fewer take several registers.
LANES = 16
# So many outputs and rows are worked out at once, so that what is in a register is used more than once. The outputs are
# far apart, so that memory is read on and on in as many places: an AMD EPYC (Zen 4) takes half as long again for two
# outputs side by side.
OUTPUTS, ROWS = 2, 4
# How many bytes before they are needed weights are called for: by itself an Intel Xeon asks for too few at a time to
# keep memory busy, and a step took half as long again.
AHEAD = 4096
# How often a thread looks whether the others have come before it pauses, about a tenth of a millisecond: if they share
# its core, with it or with other programs, they would not come any sooner for its looking.
PATIENCE = 200000
# Of the usual layer norm.
EPSILON = 1e-5

_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_HALVES = ir.VectorType(ir.HalfType(), LANES)
_NOTHING = ir.Constant(_FLOATS, [0.0] * LANES)
_INTEGER = ir.IntType(64)
# Sums may be rounded as if a product and its addition were one operation, and added up in any order.
_FREELY = {"reassoc", "contract", "nsz"}


class Linears(NamedTuple):
    """The same linear layer of every layer of the transformer.

    `weight` [layers, outputs, inputs] of float32, of int16 (the bits of float16), or of int8; to be multiplied by
    `scale` [layers, outputs]; and `bias` [layers, outputs].
    """

    weight: np.ndarray
    scale: np.ndarray
    bias: np.ndarray


# What `gsv_pause` is given: microseconds, or to Windows' `Sleep` nothing, which is the rest of a time slice.
_PAUSE = 0 if sys.platform == "win32" else 20


@intrinsic
def _pause(context: Any) -> Any:
    def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        integer = ir.IntType(32)
        kind = ir.FunctionType(integer, [integer])
        function = cgutils.get_or_insert_function(builder.module, kind, "gsv_pause")
        builder.call(function, [ir.Constant(integer, _PAUSE)])
        return target.get_dummy_value()

    return types.void(), generate


@intrinsic
def _one_more(context: Any, counts: Any, place: Any) -> Any:
    """Adds one to a count that other threads add to as well."""

    def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        spot = builder.gep(cgutils.create_struct_proxy(counts)(target, builder, given[0]).data, [given[1]])
        builder.atomic_rmw("add", spot, ir.Constant(ir.IntType(64), 1), "seq_cst")
        return target.get_dummy_value()

    return types.void(counts, types.int64), generate


@intrinsic
def _seen(context: Any, counts: Any, place: Any) -> Any:
    """A count as other threads have left it by now."""

    def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        spot = builder.gep(cgutils.create_struct_proxy(counts)(target, builder, given[0]).data, [given[1]])
        return builder.load_atomic(spot, "acquire", 8)

    return types.int64(counts, types.int64), generate


@intrinsic
def _memory(context: Any, address: Any) -> Any:
    """What is at an address."""

    def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


@intrinsic
def _wide(context: Any, number: Any) -> Any:
    """A number of float32, of int16 that is the bits of a float16, or of int8, as float32."""

    def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        if number == types.float32:
            return given[0]
        if number == types.int16:
            return builder.fpext(builder.bitcast(given[0], ir.HalfType()), ir.FloatType())
        return builder.sitofp(given[0], ir.FloatType())

    return types.float32(number), generate


@intrinsic
def _narrow(context: Any, number: Any, like: Any) -> Any:
    """A float32 as the kind of number that `like` is; see `_wide`."""

    def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        if like == types.float32:
            return given[0]
        return builder.bitcast(builder.fptrunc(given[0], ir.HalfType()), ir.IntType(16))

    return like(types.float32, like), generate


@intrinsic
def _power_of_two(context: Any, exponent: Any) -> Any:
    """2 to the power of an int32 between -126 and 127, as float32."""

    def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        bits = builder.shl(builder.add(given[0], ir.Constant(ir.IntType(32), 127)), ir.Constant(ir.IntType(32), 23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.int32), generate


def _products(outputs: int, rows_at_once: int) -> Any:
    """The function that multiplies the weights of so many outputs with so many rows, from first ones on.

    Of the outputs it is told how far `apart` they are; rows follow each other.
    It is written in the compiler's own terms: every sum then consists of the same operations, however many there are,
    and processors with wide registers use all of them. What is behind the last whole `LANES` is left out.
    """
    places = [(output, row) for output in range(outputs) for row in range(rows_at_once)]

    @intrinsic
    def products(context: Any, weight: Any, output: Any, apart: Any, rows: Any, row: Any) -> Any:
        kind = types.UniTuple(types.float32, len(places))

        def generate(target: Any, builder: Any, signature: Any, given: Any) -> Any:
            size = builder.extract_value(_array(target, builder, weight, given[0]).shape, 1)
            stop = builder.mul(builder.sdiv(size, _number(LANES)), _number(LANES))

            def starts(kind: Any, matrix: Any, first: Any, apart: Any, count: int) -> list[Any]:
                data = _array(target, builder, kind, matrix).data
                numbers = (builder.add(first, builder.mul(apart, _number(place))) for place in range(count))
                return [builder.gep(data, [builder.mul(number, size)], inbounds=True) for number in numbers]

            weights = starts(weight, given[0], given[1], given[2], outputs)
            numbers = starts(rows, given[3], given[4], _number(1), rows_at_once)
            sums = {place: cgutils.alloca_once_value(builder, _NOTHING) for place in places}
            with cgutils.for_range_slice(builder, _number(0), stop, _number(LANES), _INTEGER) as (at, _):
                wide = [_widened(builder, builder.gep(start, [at], inbounds=True), weight.dtype) for start in weights]
                loaded = [_widened(builder, builder.gep(start, [at], inbounds=True), rows.dtype) for start in numbers]
                _call_for(builder, [builder.gep(start, [at]) for start in weights])
                for place in places:
                    _add_product(builder, sums[place], wide[place[0]], loaded[place[1]])
            whole = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.FloatType(), [ir.FloatType(), _FLOATS]),
                f"llvm.vector.reduce.fadd.v{LANES}f32",
            )
            zero = ir.Constant(ir.FloatType(), 0.0)
            totals = [builder.call(whole, [zero, builder.load(sums[place])], fastmath=("reassoc",)) for place in places]
            return target.make_tuple(builder, kind, totals)

        return kind(weight, types.int64, types.int64, rows, types.int64), generate

    return products


def _array(target: Any, builder: Any, kind: Any, given: Any) -> Any:
    return cgutils.create_struct_proxy(kind)(target, builder, given)


def _call_for(builder: Any, spots: Sequence[Any]) -> None:
    """Has memory bring what is `AHEAD` of some spots; it does not matter if nothing is there."""
    integer = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, integer, integer, integer])
    bring = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    for spot in spots:
        ahead = builder.gep(builder.bitcast(spot, cgutils.voidptr_t), [_number(AHEAD)])
        # To be read, kept as near as there is a place, and data.
        builder.call(bring, [ahead, *(ir.Constant(integer, value) for value in (0, 3, 1))])


def _number(value: int) -> Any:
    return ir.Constant(_INTEGER, value)


def _add_product(builder: Any, total: Any, first: Any, second: Any) -> None:
    product = builder.fmul(first, second, flags=["contract"])
    builder.store(builder.fadd(builder.load(total), product, flags=["contract"]), total)


def _loaded(builder: Any, spot: Any, kind: Any, alignment: int) -> Any:
    numbers = builder.load(builder.bitcast(spot, kind.as_pointer()))
    numbers.align = alignment
    return numbers


def _widened(builder: Any, spot: Any, dtype: Any) -> Any:
    """`LANES` numbers from here on as float32."""
    if dtype == types.float32:
        return _loaded(builder, spot, _FLOATS, 4)
    if dtype == types.int16:
        return builder.fpext(_loaded(builder, spot, _HALVES, 2), _FLOATS)
    whole = _loaded(builder, spot, ir.VectorType(ir.IntType(8), LANES), 1)
    return builder.sitofp(builder.sext(whole, ir.VectorType(ir.IntType(32), LANES)), _FLOATS)


_block, _several, _single = _products(OUTPUTS, ROWS), _products(OUTPUTS, 1), _products(1, 1)


@njit
def _apply(weight, scale, bias, rows, begin, end, out):  # type: ignore[no-untyped-def]
    """Outputs from `begin` to `end` of a linear layer, for rows [N, inputs] -> out [N, outputs]."""
    count, size = rows.shape
    apart = (end - begin) // OUTPUTS
    for output in range(begin, begin + apart):
        row = 0
        while row + ROWS <= count:
            sums = _block(weight, output, apart, rows, row)
            for i in range(OUTPUTS):
                for j in range(ROWS):
                    out[row + j, output + i * apart] = sums[i * ROWS + j]
            row += ROWS
        for j in range(row, count):
            sums = _several(weight, output, apart, rows, j)
            for i in range(OUTPUTS):
                out[j, output + i * apart] = sums[i]
    for output in range(begin + OUTPUTS * apart, end):
        for j in range(count):
            out[j, output] = _single(weight, output, 1, rows, j)[0]
    whole = size // LANES * LANES
    if whole < size:
        for row in range(count):
            for output in range(begin, end):
                for place in range(whole, size):
                    out[row, output] += _wide(weight[output, place]) * rows[row, place]
    for row in range(count):
        for output in range(begin, end):
            out[row, output] = out[row, output] * scale[output] + bias[output]


@njit(fastmath=_FREELY)
def _normalise(rows, gain, shift, out):  # type: ignore[no-untyped-def]
    """The layer norm of every row, [N, C] -> out [N, C]."""
    for number in range(len(rows)):
        _normalise_row(rows[number], gain, shift, out[number])


@njit(fastmath=_FREELY)
def _normalise_row(row, gain, shift, out):  # type: ignore[no-untyped-def]
    size = len(row)
    mean = np.float32(0)
    for place in range(size):
        mean += row[place]
    mean /= np.float32(size)
    variance = np.float32(0)
    for place in range(size):
        variance += (row[place] - mean) * (row[place] - mean)
    factor = np.float32(1) / np.sqrt(variance / np.float32(size) + np.float32(EPSILON))
    for place in range(size):
        out[place] = (row[place] - mean) * factor * gain[place] + shift[place]


@njit(fastmath=_FREELY)
def _exponentials(numbers, end, largest):  # type: ignore[no-untyped-def]
    """numbers[:end] become those of which they were the logarithms, by `largest` less; returns their sum.

    e^x is 2^n times 2^f, f within a half of 0, for which seven terms of its series are right to a float32's last bit
    or two. The usual function cannot be worked out for several numbers at once.
    """
    total = np.float32(0)
    for place in range(end):
        power = max((numbers[place] - largest) * np.float32(1.4426950408889634), np.float32(-126))
        whole = np.floor(power + np.float32(0.5))
        part = (power - whole) * np.float32(0.6931471805599453)
        series = np.float32(1 / 720) + part * np.float32(1 / 5040)
        series = np.float32(1 / 120) + part * series
        series = np.float32(1 / 24) + part * series
        series = np.float32(1 / 6) + part * series
        series = np.float32(0.5) + part * series
        series = np.float32(1) + part * (np.float32(1) + part * series)
        numbers[place] = series * _power_of_two(np.int32(whole))
        total += numbers[place]
    return total


@njit(fastmath=_FREELY)
def _attend(query, keys, values, end, scores, out):  # type: ignore[no-untyped-def]
    """What one head finds at the places before `end`: query [D], keys and values [columns, D] -> out [D]."""
    size = len(query)
    factor = np.float32(1) / np.sqrt(np.float32(size))
    largest = np.float32(-np.inf)
    for column in range(end):
        total = np.float32(0)
        for place in range(size):
            total += query[place] * _wide(keys[column, place])
        scores[column] = total * factor
        largest = max(largest, scores[column])
    whole = _exponentials(scores, end, largest)
    for place in range(size):
        out[place] = 0
    for column in range(end):
        share = scores[column] / whole
        for place in range(size):
            out[place] += share * _wide(values[column, place])


@njit
def _add(rows, begin, end, out):  # type: ignore[no-untyped-def]
    """Adds the places from `begin` to `end` of every row to those of `out`."""
    for row in range(len(rows)):
        for place in range(begin, end):
            out[row, place] += rows[row, place]


@njit
def _meet(gate, come):  # type: ignore[no-untyped-def]
    """Waits until so many have come here; returns whether all will."""
    _one_more(gate, COME)
    looks = 0
    while _seen(gate, COME) < come:
        if _seen(gate, GIVEN_UP):
            return False
        looks += 1
        if looks > PATIENCE:
            _pause()
    return True


@njit
def step(thread, threads, gate, layers, norms, predict, x, caches, columns, used, kind, work, logits):  # type: ignore[no-untyped-def]
    """One thread's share of a step. All threads must be called with the same arrays.

    Args:
        thread, threads: which thread this is, from 0, and of how many; at most as many as heads.
        gate: [2] of int64, all 0; setting [GIVEN_UP] ends the step for all who wait.
        layers: `Linears` of the joint projection, the projection behind attention, and the two that follow.
        norms: [layers, 4, C], gain and shift of the norm after attention and of that after the rest.
        predict: `Linears` of a single layer.
        x: [N, C], the rows.
        caches, columns, used: [N] of int64, for each row the address of its keys and values
            [layers, 2, heads, columns, D], how many columns there are, and how many are in use.
        kind: an empty array of what caches hold: float32, or int16 for the bits of float16.
        work: (joint [N, 3 C], the same as [N, 3, heads, D], found [N, C], middle [N, C], wide [N, 4 C], own
            [threads, N, C], scores [threads, columns]), for what is worked out on the way.
        logits: [N, V], the result.
    """
    projection, behind, first, second = layers
    flat, joint, found, middle, wide, all_rows, all_scores = work
    rows, scores = all_rows[thread], all_scores[thread]
    count, width = x.shape
    heads, size = joint.shape[2], joint.shape[3]
    first_head, last_head = heads * thread // threads, heads * (thread + 1) // threads
    begin, end = width * thread // threads, width * (thread + 1) // threads
    come = 0
    # What numpy would do in a line is written out here: compiling that takes seconds.
    for row in range(count):
        for place in range(width):
            rows[row, place] = x[row, place]
    for layer in range(len(norms)):
        weight, scale, bias = projection.weight[layer], projection.scale[layer], projection.bias[layer]
        for part in range(3):
            start = part * width
            _apply(weight, scale, bias, rows, start + first_head * size, start + last_head * size, flat)
        for row in range(count):
            cache = carray(_memory(caches[row]), (len(norms), 2, heads, columns[row], size), kind.dtype)
            place = used[row]
            for head in range(first_head, last_head):
                keys, values = cache[layer, 0, head], cache[layer, 1, head]
                for i in range(size):
                    keys[place, i] = _narrow(joint[row, 1, head, i], keys[place, i])
                    values[place, i] = _narrow(joint[row, 2, head, i], values[place, i])
                out = found[row, head * size : (head + 1) * size]
                _attend(joint[row, 0, head], keys, values, place + 1, scores, out)
        come += threads
        if not _meet(gate, come):
            return
        _apply(behind.weight[layer], behind.scale[layer], behind.bias[layer], found, begin, end, middle)
        _add(rows, begin, end, middle)
        come += threads
        if not _meet(gate, come):
            return
        _normalise(middle, norms[layer, 0], norms[layer, 1], rows)
        _apply(first.weight[layer], first.scale[layer], first.bias[layer], rows, 4 * begin, 4 * end, wide)
        for row in range(count):
            for place in range(4 * begin, 4 * end):
                wide[row, place] = max(wide[row, place], np.float32(0))
        come += threads
        if not _meet(gate, come):
            return
        _apply(second.weight[layer], second.scale[layer], second.bias[layer], wide, begin, end, middle)
        _add(rows, begin, end, middle)
        come += threads
        if not _meet(gate, come):
            return
        _normalise(middle, norms[layer, 2], norms[layer, 3], rows)
    outputs = logits.shape[1]
    begin, end = outputs * thread // threads, outputs * (thread + 1) // threads
    _apply(predict.weight[0], predict.scale[0], predict.bias[0], rows, begin, end, logits)


def whole_step(weights: Any, kept: Any) -> Any:
    """`step` as a function of C: void(int64 thread, GIVEN *given), for these numbers in weights and caches."""

    @njit
    def linears(addresses, layers, outputs, inputs):  # type: ignore[no-untyped-def]
        return Linears(
            carray(_memory(addresses[0]), (layers, outputs, inputs), weights),
            carray(_memory(addresses[1]), (layers, outputs), np.float32),
            carray(_memory(addresses[2]), (layers, outputs), np.float32),
        )

    @njit
    def floats(address, shape):  # type: ignore[no-untyped-def]
        return carray(_memory(address), shape, np.float32)

    @njit
    def integers(address, size):  # type: ignore[no-untyped-def]
        return carray(_memory(address), (size,), np.int64)

    # Nothing of it is made for Python, and it raises no errors.
    @njit(
        [types.void(types.int64, types.CPointer(from_dtype(GIVEN)))],
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        error_model="numpy",
    )
    def of_addresses(thread, record):  # type: ignore[no-untyped-def]
        given = carray(record, (1,))[0]
        layers, rows, width, outputs, threads = given.layers, given.rows, given.width, given.outputs, given.threads
        step(
            thread,
            threads,
            integers(given.gate, 2),
            (
                linears(given.projection, layers, 3 * width, width),
                linears(given.behind, layers, width, width),
                linears(given.first, layers, 4 * width, width),
                linears(given.second, layers, width, 4 * width),
            ),
            floats(given.norms, (layers, 4, width)),
            linears(given.predict, 1, outputs, width),
            floats(given.x, (rows, width)),
            integers(given.caches, rows),
            integers(given.columns, rows),
            integers(given.used, rows),
            carray(_memory(given.caches), (0,), kept),
            (
                floats(given.joint, (rows, 3 * width)),
                floats(given.joint, (rows, 3, given.heads, width // given.heads)),
                floats(given.found, (rows, width)),
                floats(given.middle, (rows, width)),
                floats(given.wide, (rows, 4 * width)),
                floats(given.own, (threads, rows, width)),
                floats(given.scores, (threads, given.longest)),
            ),
            floats(given.logits, (rows, outputs)),
        )

    return of_addresses


def main() -> None:
    """Writes the machine code: python -c "from gsv.models.kernel import main; main()" WEIGHTS KEPT FILE"""
    weights, kept, path = sys.argv[1:]
    machine_code.announce_names()
    (text,) = whole_step(np.dtype(weights).type, np.dtype(kept).type).inspect_llvm().values()
    module = llvm.parse_assembly(text)
    (function,) = (one for one in module.functions if not one.is_declaration and one.linkage == llvm.Linkage.external)
    function.name = machine_code.NAME
    Path(path).write_bytes(machine_code.this_machine(module.triple).emit_object(module))

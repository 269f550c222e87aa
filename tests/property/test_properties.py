"""Laws that hold for every input, on drawn arrays, tables and options."""

from typing import Any

import numpy as np
from assertions import assert_same_outcome, assert_same_result, assert_untouched, outcome, snapshot
from cases import CASES, UNIQUE_PARTS
from generators import DTYPES, flat_labels, label_arrays
from hypothesis import given, note, settings
from hypothesis import strategies as st

import fastremap
from fastremap import LabelTable, reference

INTEGERS = [dtype for dtype in DTYPES if dtype.kind in "iu"]


@st.composite
def numbers(draw: st.DrawFn, array: np.ndarray) -> Any:
    """Draw a key or value: often a label of the array, or at the edge of a dtype, of any Python or numpy type."""
    edges = st.sampled_from(
        [sign * 2**bits + step for bits in (7, 8, 31, 63, 64) for sign in (1, -1) for step in (-1, 0)]
    )
    floats = st.floats(width=32) | st.integers(-5, 300).map(float)
    present = st.sampled_from(array.ravel()[:50].tolist()) if array.size else st.nothing()
    number = draw(present | st.integers(-3, 300) | edges | floats | st.booleans())
    fitting = [dtype.type for dtype in INTEGERS if isinstance(number, int) and _fits(number, dtype)]
    as_type = draw(st.sampled_from([None, *fitting]))
    return number if as_type is None else as_type(number)


def _fits(number: int, dtype: np.dtype) -> bool:
    return np.iinfo(dtype).min <= number <= np.iinfo(dtype).max


@st.composite
def tables(draw: st.DrawFn, array: np.ndarray) -> Any:
    """Draw a table in any of its forms: mapping, pair of lists, pair of arrays."""
    pairs = draw(st.lists(st.tuples(numbers(array), numbers(array)), max_size=12))
    if draw(st.booleans()):  # cover every label, so that the strict rule can succeed
        pairs += [(label, draw(st.integers(0, 400))) for label in np.unique(array).tolist()[:300]]
    keys, values = [key for key, _ in pairs], [value for _, value in pairs]
    form = draw(st.sampled_from(["dict", "lists", "integer arrays"]))
    if form == "dict":
        return dict(pairs)
    if form == "integer arrays":
        pairs = [pair for pair in pairs if all(-(2**63) <= number < 2**63 for number in pair)]
        return np.array([int(key) for key, _ in pairs]), np.array([int(value) for _, value in pairs])
    return keys, values


@settings(max_examples=max(settings().max_examples // 3, 40))
@given(st.data())
def test_every_case_equals_its_twin(data: st.DataObject) -> None:
    array = data.draw(label_arrays())
    before = snapshot(array)
    for case in CASES.values():
        if case.needs_array and not case.moves_buffer:
            variant = data.draw(st.sampled_from(sorted(case.variants)), label=case.name)
            more = {"in_place": False} if case.in_place else {}
            actual = outcome(case.call, case.function, array, variant, **more)
            assert_same_outcome(actual, outcome(case.call, case.twin, array, variant, **more))
    assert_untouched(array, before)


@given(st.data())
def test_remap_equals_its_twin_for_any_table(data: st.DataObject) -> None:
    array = data.draw(label_arrays())
    table = data.draw(tables(array))
    options = data.draw(
        st.fixed_dictionaries(
            {"preserve_missing_labels": st.booleans()},
            optional={"fill_value": numbers(array), "dtype": st.sampled_from(DTYPES)},
        )
    )
    note(f"{array!r}")
    expected = outcome(reference.remap, array, table, **options)
    assert_same_outcome(outcome(fastremap.remap, array, table, **options), expected)
    if array.flags.writeable:
        buffers = array.copy(order="K"), array.copy(order="K")
        expected = outcome(reference.remap, buffers[1], table, in_place=True, **options)
        assert_same_outcome(outcome(fastremap.remap, buffers[0], table, in_place=True, **options), expected)
        np.testing.assert_array_equal(*buffers)


@given(label_arrays(), st.data())
def test_renumber_equals_its_twin_for_any_start(array: np.ndarray, data: st.DataObject) -> None:
    edges = [2**bits - back for bits in (8, 16, 24, 32, 53, 63, 64) for back in (0, 1, 2, 3)]
    options = data.draw(
        st.fixed_dictionaries(
            {
                "start": st.integers(-300, 300) | st.sampled_from(edges + [-edge for edge in edges]),
                "preserve_zero": st.booleans(),
                "order": st.sampled_from(["first", "sorted"]),
                "mapping": st.sampled_from(["dict", "table"]),
            },
            optional={"dtype": st.sampled_from(DTYPES)},
        )
    )
    expected = outcome(reference.renumber, array, **options)
    assert_same_outcome(outcome(fastremap.renumber, array, **options), expected)


@given(label_arrays())
def test_unique_takes_the_array_apart_and_together(array: np.ndarray) -> None:
    values, index, inverse, counts = fastremap.unique(array, return_index=True, return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(values[inverse], array)
    np.testing.assert_array_equal(np.asarray(array).ravel()[index], values)
    assert counts.sum() == array.size
    np.testing.assert_array_equal(np.bincount(inverse.ravel(), minlength=values.size), counts)


@given(flat_labels(INTEGERS), st.integers(0, 2), st.sampled_from("CF"), st.data())
def test_distinct_rows_are_numpys(flat: np.ndarray, width: int, order: str, data: st.DataObject) -> None:
    pool = flat[: 2 * (flat.size // 2)].reshape(-1, 2)
    picks = data.draw(st.lists(st.integers(0, max(len(pool) - 1, 0)), max_size=40 if len(pool) else 0))
    rows = np.array(pool[picks][:, :width] if width else pool[picks], order=order)
    for axis in (0, 1):
        for parts in UNIQUE_PARTS.values():
            expected = outcome(reference.unique, rows, axis=axis, **parts)
            assert_same_outcome(outcome(fastremap.unique, rows, axis=axis, **parts), expected)
    distinct, inverse = fastremap.unique(rows, axis=0, return_inverse=True, sorted=False)
    np.testing.assert_array_equal(distinct[inverse], rows)
    assert len(distinct) == len(np.unique(rows, axis=0))


@given(label_arrays(), st.sampled_from(["first", "sorted"]))
def test_renumber_is_a_bijection_that_its_mapping_describes(array: np.ndarray, order: str) -> None:
    result, mapping = fastremap.renumber(array, order=order)
    labels, inverse = np.unique(array, return_inverse=True)
    n_labels = np.count_nonzero(labels)
    assert sorted(mapping.values()) == list(range(n_labels + 1))
    np.testing.assert_array_equal(
        np.unique(result), np.unique(np.arange(labels.size) + (0 not in labels))[: labels.size]
    )
    for rank, label in enumerate(labels.tolist()):
        same = result[inverse == rank]
        assert (same == same[0]).all()
        assert (same[0] == 0) == (label == 0)
    np.testing.assert_array_equal(fastremap.remap(array, mapping), result)


@given(label_arrays(INTEGERS))
def test_the_inverse_of_a_table_undoes_it(array: np.ndarray) -> None:
    result, table = fastremap.renumber(array, mapping="table", preserve_zero=False)
    back = fastremap.remap(result, table.inverse(), dtype=array.dtype)
    np.testing.assert_array_equal(back, array)


@given(flat_labels(INTEGERS), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20, unique=True), st.data())
def test_two_tables_after_each_other_are_their_composition(flat: np.ndarray, middle: list, data: st.DataObject) -> None:
    labels = np.unique(flat).tolist()
    first = LabelTable.from_arrays(
        np.array(labels, dtype=flat.dtype), np.array([middle[i % len(middle)] for i in range(len(labels))], dtype="u8")
    )
    second = LabelTable.from_dict({label: data.draw(st.integers(0, 2**64 - 1)) for label in middle})
    unsigned = fastremap.renumber(flat, dtype="u8", order="sorted", start=0, preserve_zero=False)[0]
    ranks = LabelTable.from_arrays(np.arange(len(labels)), first.new)
    expected = fastremap.remap(fastremap.remap(unsigned, ranks), second)
    np.testing.assert_array_equal(fastremap.remap(unsigned, ranks.compose(second)), expected)


@given(label_arrays(), st.sampled_from("CF"))
def test_layout_changes_nothing_but_the_order_of_first_appearance(array: np.ndarray, order: str) -> None:
    other = np.array(array, order=order, subok=False)
    for function in (fastremap.unique, fastremap.minmax, fastremap.foreground):
        assert_same_result(function(other), function(array))
    results = [fastremap.renumber(either, order="sorted") for either in (array, other)]
    np.testing.assert_array_equal(results[0][0], results[1][0], strict=True)
    assert_same_result(results[0][1], results[1][1])

"""Numbering of states: as renumber of the whole volume, whatever the memory, the machines and the interruptions."""

from itertools import accumulate, count, repeat

import numpy as np
import pytest
import zarr
from generators import few
from hypothesis import given, settings
from hypothesis import strategies as st
from numberings import (
    Aborted,
    Performer,
    Threads,
    Twice,
    contents,
    fill_states,
    folder_at,
    ids_of_volume,
    numbered,
    oracle,
    rules,
    table_at,
)

import fastremap
from fastremap_dask import open_columns, open_table, save_table
from fastremap_dask.columns import Columns, pack
from fastremap_dask.merging import Schema
from fastremap_dask.numbering import collect, number
from fastremap_dask.pipeline import GROUP_STATES, group_sizes, plan
from fastremap_dask.relations import PartnerState
from fastremap_dask.tableformat import CHUNK_LENGTH
from fastremap_dask.volumes import locate

BORDERS = [1, 7, 90, 150, 151, 152, 300]
MUCH = 10**9
INT64 = np.dtype(np.int64)


def volume_of(dtype: str, n: int = 400, seed: int = 0) -> np.ndarray:
    """Return labels in runs, spread over the dtype, its ends and 0 among them."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    labels = few(dtype)
    if dtype.kind != "b":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        labels = np.concatenate([labels, rng.integers(low, high, 150, dtype, endpoint=True)])
    return np.repeat(rng.choice(labels, n // 2), 2)


def check(tmp_path, volumes, borders, numbering, perform=None, budget_nbytes=MUCH, **options):
    """Number volumes, and compare ids and table with those of `renumber`; return what there is and what is known."""
    ids, table = oracle(volumes, numbering)
    path = tmp_path / str(next(n for n in count() if not (tmp_path / str(n)).exists()))
    folder = folder_at(path)
    names, facts = numbered(folder, volumes, borders, numbering, perform, budget_nbytes, **options)
    found = ids_of_volume(folder, volumes, borders, names)
    if found is not None:
        np.testing.assert_array_equal(found, ids, strict=True)
        assert (facts.lowest_id, facts.highest_id) == (ids.min(), ids.max())
    assert open_table(path / "table.zarr") == table
    assert np.dtype(facts.dtype) == ids.dtype
    assert facts.n_rows == len(table)
    assert not (path / "job" / "plans").exists()
    return contents(path), facts


@pytest.mark.parametrize("order", ["first", "sorted"])
@pytest.mark.parametrize("preserve_zero", [True, False])
@pytest.mark.parametrize("dtype", ["?", "i1", "i8", "u1", "u4", "u8"])
def test_ids_and_table_are_those_of_renumber(dtype, preserve_zero, order, tmp_path):
    volume = volume_of(dtype)
    numbering = rules(dtype, preserve_zero=preserve_zero, order=order, start=2 if dtype == "u4" else 1)
    results = [check(tmp_path, [volume], BORDERS, numbering, budget_nbytes=budget) for budget in (1500, MUCH)]
    assert results[0] == results[1]
    save_table(open_table(tmp_path / "0" / "table.zarr"), tmp_path / "saved" / "table.zarr")
    saved = contents(tmp_path / "saved")
    assert saved == {name: data for name, data in results[0][0].items() if name in saved}
    assert len(saved) > 2
    assert results[0][1].n_labels == np.unique(volume).size


@settings(max_examples=25)
@given(data=st.data())
def test_random_volumes(data, tmp_path_factory):
    dtype = data.draw(st.sampled_from(["?", "i1", "u2", "i4", "u8"]))
    size = data.draw(st.integers(0, 60))
    volumes = [volume_of(dtype, size, seed) for seed in range(data.draw(st.integers(0, 2)))]
    borders = data.draw(st.lists(st.integers(0, size), max_size=5))
    numbering = rules(
        dtype,
        start=data.draw(st.integers(1, 300)),
        preserve_zero=data.draw(st.booleans()),
        order=data.draw(st.sampled_from(["first", "sorted"])),
        out=data.draw(st.sampled_from([None, "u4", "i8"])) if dtype != "i1" else "i4",
    )
    budget = data.draw(st.sampled_from([1, 200, 1000, MUCH]))
    check(tmp_path_factory.mktemp("n"), volumes, borders, numbering, budget_nbytes=budget)


REFUSED = [
    ("u8", {"start": -1}),
    ("u8", {"start": 2**64 - 3}),
    ("u4", {"out": "u1", "start": 240}),
    ("u4", {"out": "u1", "start": 256}),
    ("u4", {"out": "?"}),
    ("i4", {"start": 0}),
    ("i4", {"start": -3}),
    ("i4", {"start": -3, "out": "u4", "preserve_zero": False}),
]


@pytest.mark.parametrize("budget", [1500, MUCH])
@pytest.mark.parametrize(("dtype", "options"), REFUSED)
def test_what_renumber_refuses_is_refused_in_its_words(dtype, options, budget, tmp_path):
    volume, numbering = np.append(volume_of(dtype), np.zeros(1, dtype)), rules(dtype, **options)
    with pytest.raises(ValueError) as expected:
        oracle([volume], numbering)
    folder = folder_at(tmp_path / "x")
    with pytest.raises(ValueError) as raised:
        numbered(folder, [volume], BORDERS, numbering, budget_nbytes=budget)
    assert str(raised.value) == str(expected.value)
    assert not list(folder.names("ids"))
    assert not (tmp_path / "x" / "table.zarr").exists()


@pytest.mark.parametrize("start", [0, 5])
def test_zero_is_in_the_table_even_if_it_does_not_occur(start, tmp_path):
    numbering = rules("i4", start=start)
    check(tmp_path, [np.array([7, 3, 7], np.int32)], [1], numbering)
    columns = open_columns(tmp_path / "0" / "table.zarr")
    assert columns["old"].tolist() == [0, 3, 7]


@pytest.mark.parametrize("order", ["first", "sorted"])
@pytest.mark.parametrize("preserve_zero", [True, False])
def test_no_states(order, preserve_zero, tmp_path):
    _, facts = check(tmp_path, [], [], rules("u4", order=order, preserve_zero=preserve_zero))
    assert (facts.n_labels, facts.n_rows) == (0, int(preserve_zero))


@pytest.mark.parametrize("perform", [Twice, Threads])
@pytest.mark.parametrize("order", ["first", "sorted"])
def test_tasks_may_run_twice_and_end_in_any_order(perform, order, tmp_path):
    volumes, numbering = [volume_of("u8")], rules("u8", order=order)
    columns = ("counts", "first")
    plain = check(tmp_path, volumes, BORDERS, numbering, budget_nbytes=2000, columns=columns)
    assert check(tmp_path, volumes, BORDERS, numbering, perform(), 2000, columns=columns) == plain


def test_columns_are_counts_and_first_voxels(tmp_path):
    volume = volume_of("i4")
    volume = volume[volume != 0]
    results = [
        check(tmp_path, [volume], BORDERS, rules("i4"), None, budget, columns=("counts", "first"))[0]
        for budget in (1000, MUCH)
    ]
    assert results[0] == results[1]
    columns = open_columns(tmp_path / "0" / "table.zarr")
    labels, first, counts = np.unique(volume, return_index=True, return_counts=True)
    at = np.searchsorted(labels, 0)
    np.testing.assert_array_equal(columns["old"], np.insert(labels, at, 0))
    np.testing.assert_array_equal(columns["counts"], np.insert(counts, at, 0), strict=True)
    np.testing.assert_array_equal(columns["first"], np.insert(first, at, -1), strict=True)


@pytest.mark.parametrize("order", ["first", "sorted"])
@pytest.mark.parametrize("budget", [1500, MUCH])
def test_voxels_that_are_not_stored_count(order, budget, tmp_path):
    stored, fill = volume_of("u4")[:100], 12345
    whole = np.concatenate([np.full(50, fill, np.uint32), stored])
    numbering = rules("u4", order=order)
    ids, table = oracle([whole], numbering)
    folder = folder_at(tmp_path / "x")
    names, sizes = fill_states(folder, [whole], [50])
    extra = {"labels": [fill], "first": [0], "counts": [50]}
    facts = number(
        Performer(), folder, names[1:], sizes[1:], numbering, table_at(folder), columns=["counts"],
        budget_nbytes=budget, extra=extra, ask=[fill, 99, 0, -1],
    )  # fmt: skip
    assert open_table(tmp_path / "x" / "table.zarr") == table
    assert facts.asked == [ids[0], None, 0, None]
    found = Columns.open(folder, f"ids/{names[1]}").read("ids")
    np.testing.assert_array_equal(found, [table[label] for label in np.unique(stored)])
    columns = open_columns(tmp_path / "x" / "table.zarr")
    assert columns["counts"][columns["old"] == fill] == 50


@pytest.mark.parametrize("order", ["first", "sorted"])
@pytest.mark.parametrize("dtypes", [("u1", "u4", "u4"), ("?", "i2", "i2"), ("u4", "i4", "i8")])
def test_volumes_of_other_dtypes_share_one_numbering(dtypes, order, tmp_path):
    *own, common = dtypes
    volumes = [volume_of(dtype, 200, seed) for seed, dtype in enumerate(own)]
    check(tmp_path, volumes, [50, 120], rules(common, order=order), budget_nbytes=1500)


@pytest.mark.parametrize("order", ["first", "sorted"])
@pytest.mark.parametrize("budget", [1500, MUCH])
def test_known_labels_keep_their_ids(order, budget, tmp_path):
    volumes, known = [volume_of("u4", 200, 0), volume_of("u4", 300, 1)], tmp_path / "known.zarr"
    _, table = fastremap.renumber(volumes[0], 10, order=order, mapping="table")
    save_table(table, known)
    folder = folder_at(tmp_path / "x")
    numbering = rules("u4", order=order, start=3, known=stored_at(known))
    names, facts = numbered(folder, [volumes[1]], BORDERS, numbering, budget_nbytes=budget)
    both = open_table(tmp_path / "x" / "table.zarr")
    assert {old: both[old] for old in table} == table.to_dict()
    new = volumes[1][~np.isin(volumes[1], table.old)]
    next_id = max(table.new) + 1
    assert {old: both[old] for old in both if old not in table} == fastremap.renumber(
        new, next_id, preserve_zero=False, order=order
    )[1]
    ids = ids_of_volume(folder, [volumes[1]], BORDERS, names)
    np.testing.assert_array_equal(ids, fastremap.remap(volumes[1], both, dtype=facts.dtype), strict=True)
    assert (facts.n_new, facts.n_labels) == (np.unique(new).size, np.unique(volumes[1]).size)
    assert (facts.lowest_id, facts.highest_id) == (ids.min(), ids.max())


def stored_at(path):
    """Return a place on this machine."""
    return locate(path, read_only=True)


def known_numbering(tmp_path, table: dict[int, int], dtype: str = "i4", **options):
    save_table(fastremap.LabelTable.from_dict(table), tmp_path / "known.zarr")
    return rules(dtype, known=stored_at(tmp_path / "known.zarr"), **options)


@pytest.mark.parametrize(
    ("table", "dtype", "text"),
    [
        ({0: 5}, "i4", "gives the id 5 to the label 0"),
        ({9: 0}, "i4", "gives the id 0 to the label 9"),
        ({2**64 - 1: 5}, "i4", "fit no integer dtype together"),
        ({5: -1}, "u4", "the new id -1 does not fit uint64"),
        ({5: 2**64 - 1}, "u4", "does not fit uint64"),
        ({5.5: 1}, "u4", "holds float64; labels and ids are integers"),
    ],
)
def test_known_labels_that_cannot_be_kept_are_refused(table, dtype, text, tmp_path):
    with pytest.raises(ValueError, match=text):
        volume = np.append(volume_of(dtype), np.zeros(1, dtype))
        numbered(folder_at(tmp_path / "x"), [volume], BORDERS, known_numbering(tmp_path, table, dtype))
    assert not (tmp_path / "x" / "table.zarr").exists()


def test_known_labels_beyond_the_dtype_of_the_volume_stay_in_the_table(tmp_path):
    numbering = known_numbering(tmp_path, {2**40: 1, -3: 2}, "u1")
    numbered(folder_at(tmp_path / "x"), [np.array([5, 0], np.uint8)], [], numbering)
    assert open_table(tmp_path / "x" / "table.zarr").to_dict() == {-3: 2, 0: 0, 5: 3, 2**40: 1}


@pytest.mark.parametrize("order", ["first", "sorted"])
def test_a_known_table_of_many_chunks_goes_on(order, tmp_path):
    n = 2 * CHUNK_LENGTH + 5
    known = fastremap.LabelTable.from_arrays(np.arange(n) * 7, np.arange(n)[::-1] + 1)
    save_table(known, tmp_path / "known.zarr")
    volume = np.array([3, 14, 3, 7 * n, 8], np.int32)
    numbering = rules("i4", order=order, known=stored_at(tmp_path / "known.zarr"), preserve_zero=False)
    numbered(folder_at(tmp_path / "x"), [volume], [2], numbering, budget_nbytes=10**7)
    old, new = {"first": ([3, 7 * n, 8], n), "sorted": ([3, 8, 7 * n], n)}[order]
    expected = fastremap.LabelTable.from_arrays(
        np.append(known.old, old).astype(np.int64), np.append(known.new, [new + 1, new + 2, new + 3]).astype(np.int64)
    )
    assert open_table(tmp_path / "x" / "table.zarr") == expected


def test_a_damaged_known_table_is_refused(tmp_path):
    numbering = known_numbering(tmp_path, {5: 1, 6: 2})
    zarr.open_array(tmp_path / "known.zarr" / "new")[1] = 7
    with pytest.raises(ValueError, match=r"known.zarr is damaged: its column new"):
        numbered(folder_at(tmp_path / "x"), [volume_of("i4")], BORDERS, numbering)


SKEWED = {
    "one narrow range": lambda rng: np.concatenate([rng.integers(10**15, 10**15 + 900, 1500), [0, 2**62]]),
    "two clusters": lambda rng: np.concatenate([np.arange(700), 2**60 + np.arange(10)]),
    "one label in every block": lambda rng: np.where(np.arange(1500) % 15 < 5, 7, np.arange(1500) * 10**12),
    "blocks of their own ranges": lambda rng: np.sort(rng.integers(0, 2**63 - 1, 1500)),
    "geometric": lambda rng: 2 ** rng.integers(0, 62, 1500) + rng.integers(0, 3, 1500),
}


@pytest.mark.parametrize("kind", SKEWED)
@pytest.mark.parametrize("order", ["first", "sorted"])
def test_parts_are_bounded_for_skewed_labels(kind, order, tmp_path):
    class Watched(Performer):
        most = 0

        def run(self, function, argument):
            if argument.what in ("part", "range"):
                self.most = max(self.most, argument.n_rows)
            return super().run(function, argument)

    volume, perform = SKEWED[kind](np.random.default_rng(0)).astype(np.int64), Watched()
    borders = list(range(0, volume.size, 100))
    check(tmp_path, [volume], borders, rules("i8", order=order), perform, budget_nbytes=300 * 24)
    assert perform.most <= 300 * 24 // 24


def test_an_uneven_part_is_cut_again(tmp_path, monkeypatch):
    monkeypatch.setattr("fastremap_dask.shuffle.SAMPLES", 4)
    perform = Performer()
    volume = SKEWED["one narrow range"](np.random.default_rng(0)).astype(np.int64)
    check(tmp_path, [volume], [500, 1000], rules("i8"), perform, budget_nbytes=400 * 24)
    assert "cut-labels-1" in perform.stages


def test_an_interrupted_run_is_taken_up(tmp_path):
    volumes, numbering = [volume_of("u8", 200)], rules("u8")
    plain, columns = Performer(), ("counts",)
    expected = check(tmp_path, volumes, [50, 120], numbering, plain, 700, columns=columns)
    aborted, begins = set(), accumulate(plain.stages.values(), initial=0)
    points = [(begin, begin + n // 2) for begin, n in zip(begins, plain.stages.values(), strict=False)]
    for n in sorted({point for pair in points for point in pair}):
        path = tmp_path / f"aborted-{n}"
        folder, first, second, other = folder_at(path), Performer(n), Performer(), Performer()
        names, sizes = fill_states(folder, volumes, [50, 120])
        given = (folder, names, sizes, numbering, table_at(folder))
        with pytest.raises(Aborted) as stage:
            number(first, *given, columns=columns, budget_nbytes=700)
        aborted.add(str(stage.value))
        if n % 2:  # with other memory
            facts = number(other, *given, columns=columns, budget_nbytes=MUCH)
        else:
            facts = number(second, *given, columns=columns, budget_nbytes=700)
            sampled = sum(n for stage, n in first.stages.items() if "sample" in stage)
            assert first.n + second.n <= plain.n + sampled
        assert (contents(path), facts) == expected
        assert not (path / "job" / "plans").exists()
        assert number(Performer(0), *given, columns=columns, budget_nbytes=500) == facts
    assert aborted == set(plain.stages)


def test_a_state_that_differs_from_its_size_is_refused(tmp_path):
    folder = folder_at(tmp_path / "x")
    names, sizes = fill_states(folder, [volume_of("u4")], BORDERS)
    for wrong in (-1, 1):
        with pytest.raises(ValueError, match="counted"):
            number(
                Performer(), folder, names, [sizes[0] + wrong, *sizes[1:]], rules("u4"), table_at(folder),
                budget_nbytes=MUCH,
            )  # fmt: skip
    with pytest.raises(ValueError, match="there are 8 states, and the sizes of 7"):
        number(Performer(), folder, names, sizes[1:], rules("u4"), table_at(folder), budget_nbytes=MUCH)


@pytest.mark.parametrize("budget", [1500, MUCH])
@pytest.mark.parametrize("dtype", ["?", "i1", "u8"])
def test_collect_is_unique(dtype, budget, tmp_path):
    volume, folder = volume_of(dtype), folder_at(tmp_path / "x")
    names, sizes = fill_states(folder, [volume], BORDERS)
    schema = Schema(np.dtype(dtype), {"counts": INT64, "first": INT64})
    facts = collect(Performer(), folder, names, sizes, schema, table_at(folder), budget_nbytes=budget)
    columns = open_columns(tmp_path / "x" / "table.zarr")
    expected = np.unique(volume, return_index=True, return_counts=True)
    for name, column in zip(("old", "first", "counts"), expected, strict=True):
        np.testing.assert_array_equal(columns[name], column)
    assert facts.n_labels == facts.n_rows == columns["old"].size
    assert not list(folder.names("ids"))


@pytest.mark.parametrize("budget", [1500, MUCH])
def test_collect_is_a_component_map(budget, tmp_path):
    components, parents = volume_of("u4", 400, 0), volume_of("i4", 400, 1)
    folder, names, sizes = folder_at(tmp_path / "x"), [], []
    for start, stop in zip([0, *BORDERS], [*BORDERS, components.size], strict=True):
        state = PartnerState.from_block(components[start:stop], parents[start:stop], (start,), components.shape)
        names.append(str(start))
        sizes.append(state.last.size)
        columns = {"labels": state.components, "last": state.last, "parents": state.parents}
        folder.put(f"states/{names[-1]}", pack(columns))
    schema = Schema(components.dtype, {"last": INT64, "parents": parents.dtype})
    collect(Performer(), folder, names, sizes, schema, table_at(folder), budget_nbytes=budget)
    assert open_table(tmp_path / "x" / "table.zarr") == fastremap.component_map(components, parents)


class Names:
    """A million names, of which only slices can be had."""

    def __len__(self):
        return 10**6

    def __getitem__(self, wanted: slice):
        return range(10**6)[wanted]


def test_a_plan_holds_numbers_for_groups_alone(tmp_path):
    folder = folder_at(tmp_path / "x")
    merge = plan(Performer(), folder, Names(), repeat(20_000, 10**6), Schema(INT64, {"first": INT64}), MUCH, "", None)
    assert sum(len(group.names) for group in merge.items()) == 10**6
    assert len(merge.groups) == -(-(10**6) // GROUP_STATES)


def test_groups_are_bounded():
    assert list(group_sizes([5, 5, 5, 100, 1, 1], 10)) == [(2, 10), (3, 5), (4, 100), (6, 2)]
    assert [stop for stop, _ in group_sizes(repeat(1, GROUP_STATES + 1), MUCH)] == [GROUP_STATES, GROUP_STATES + 1]

"""The registry holds every public function, and each has the signature of its twin."""

import inspect

import numpy as np
import pytest
from cases import CASES, CONTRACT, Case

import fastremap
from fastremap import reference

# Callers pass these by position; everything after `|` may only be given by name.
POSITIONS = {
    "unique": "labels return_index return_inverse return_counts axis | equal_nan sorted",
    "renumber": "arr start preserve_zero in_place | order dtype mapping",
    "remap": "arr table preserve_missing_labels in_place | fill_value dtype",
    "remap_from_array": "arr vals in_place |",
    "remap_from_array_kv": "arr keys vals preserve_missing_labels in_place | fill_value",
    "mask": "arr labels in_place value |",
    "mask_except": "arr labels in_place value |",
    "component_map": "component_labels parent_labels |",
    "inverse_component_map": "parent_labels component_labels |",
    "minmax": "arr |",
    "foreground": "arr |",
    "pixel_pairs": "labels |",
    "indices": "arr value |",
    "is_solid": "arr value |",
    "is_sorted": "arr asc |",
    "point_cloud": "arr shell |",
    "tobytes": "image chunk_size order |",
    "refit": "arr value increase_only exotics |",
    "fit_dtype": "dtype value exotics |",
    "widen_dtype": "dtype exotics |",
    "narrow_dtype": "dtype exotics |",
    "transpose": "arr |",
    "asfortranarray": "arr |",
    "ascontiguousarray": "arr |",
}


def described(function: object) -> str:
    """Return a signature in the form of `POSITIONS`."""
    parameters = inspect.signature(function).parameters.values()
    by_name = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    return f"{' '.join(p.name for p in parameters if p.name not in by_name)} | {' '.join(by_name)}".strip()


def test_every_function_of_the_contract_is_there_with_a_case_and_a_twin() -> None:
    public = {name for name in fastremap.__all__ if inspect.isroutine(getattr(fastremap, name))}
    assert public - {"get_include"} == set(CONTRACT) == set(CASES) == set(POSITIONS)
    assert set(CONTRACT) < set(reference.__all__)


@pytest.mark.parametrize("name", CONTRACT)
def test_twin_has_the_positions_of_the_contract(name: str) -> None:
    assert described(getattr(reference, name)) == POSITIONS[name]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_signature_is_the_twins(case: Case) -> None:
    twin, function = inspect.signature(case.twin), inspect.signature(case.function)
    assert [(p.name, p.kind, p.default) for p in function.parameters.values()] == [
        (p.name, p.kind, p.default) for p in twin.parameters.values()
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_makers_leave_the_array_alone_and_return_fresh_arguments(case: Case) -> None:
    array = np.array([[3, 0], [7, 3]], dtype=np.uint16)
    array.flags.writeable = False
    for variant, make in case.variants.items():
        first, second = make(array), make(array)
        for one, other in zip(first[0], second[0], strict=True):
            if isinstance(one, (dict, list, set)):
                assert one is not other, variant

"""Compare every registered function with its plain numpy twin on random bytes, dtypes, shapes and layouts.

    python tests/fuzz.py [--seconds 60] [--seed N]

Each round draws an array and calls one variant of every entry of the registry. It ends with an error that names the
seed of the round, by which `--seed` repeats it, and the array; or, when the time is up, with how often each function
ran. A function that never ran is an error.
"""

import argparse
import collections
import math
import pathlib
import sys
import time

import numpy as np

TESTS = pathlib.Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS / "unit")]

from cases import CASES  # noqa: E402
from generators import DTYPES, LAYOUTS  # noqa: E402
from test_differential import check, check_in_place  # noqa: E402

MAX_VOXELS = 6000  # a few pieces of the kernels; the twins are slow


def random_labels(random: np.random.Generator) -> np.ndarray:
    """Flat labels out of random bytes: all of them, or a few in runs."""
    dtype = DTYPES[random.integers(len(DTYPES))]
    n_labels = int(random.integers(0, MAX_VOXELS)) if random.random() < 0.5 else int(random.integers(0, 80))
    if dtype.kind == "b":
        raw = random.integers(0, 2, n_labels, dtype=np.uint8).view(dtype)
    else:
        raw = np.frombuffer(random.bytes(n_labels * dtype.itemsize), dtype=dtype).copy()
    if random.random() < 0.6 and n_labels:
        few = raw[: int(random.integers(1, 40))]
        picked = few[random.integers(0, few.size, n_labels)]
        picked[random.random(n_labels) < 0.2] = 0
        raw = np.repeat(picked, random.integers(1, 1 + int(random.integers(1, 60)), n_labels))[:n_labels]
    return raw


def random_array(random: np.random.Generator) -> np.ndarray:
    """Labels in a random shape of up to four axes, or in one of the layouts of the generators."""
    flat = random_labels(random)
    if random.random() < 0.5:
        return list(LAYOUTS.values())[random.integers(len(LAYOUTS))](flat)
    shape = [int(length) for length in random.integers(1, 14, random.integers(0, 4))]
    last = flat.size // math.prod(shape)
    array = flat[: last * math.prod(shape)].reshape(*shape, last)
    return np.array(array, order="CF"[random.integers(2)]).transpose(random.permutation(array.ndim))


def run_round(seed: int, ran: collections.Counter) -> None:
    """Draw an array and compare one variant of every function on it."""
    random = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        array = random_array(random)
    for name, case in CASES.items():
        variant = list(case.variants)[random.integers(len(case.variants))]
        in_place = case.in_place and random.random() < 0.5
        try:
            (check_in_place if in_place else check)(case, variant, lambda: array.copy(order="K"))
        except BaseException as error:
            error.add_note(f"seed {seed}: {name}, variant {variant!r}, in_place={in_place}, of {array.dtype} {array!r}")
            raise
        ran[name] += 1


def main() -> None:
    """Run rounds until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, help="repeat this round alone")
    options = parser.parse_args()
    ran: collections.Counter = collections.Counter()
    if options.seed is not None:
        return run_round(options.seed, ran)
    seed, end = int(np.random.SeedSequence().generate_state(1)[0]), time.monotonic() + options.seconds
    while time.monotonic() < end:
        run_round(seed, ran)
        seed += 1
    for name in CASES:
        print(f"{name}: {ran[name]} calls")
    if not ran or min(ran[name] for name in CASES) == 0:
        sys.exit("a function was never called: give it more seconds")


if __name__ == "__main__":
    main()

"""The entry of the command `fastremap`: it says in one line what to install where the `dask` extra is absent."""

import sys


def main() -> None:
    """Run the command line of `fastremap_dask`."""
    try:
        from fastremap_dask.cli import main as run
    except ImportError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    run()

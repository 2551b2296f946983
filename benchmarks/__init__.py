"""Whatever the README and the docs say in figures, measured: `python -m benchmarks.NAME`."""

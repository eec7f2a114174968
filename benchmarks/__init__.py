"""What is measured: ``python -m benchmarks [NAME …]`` prints tables and writes JSON.

Each benchmark is a module with ``run(size) -> Outcome``. Sides that are compared run in processes
of their own, warmed up the same way (`benchmarks.process`); imports and process starts are never
part of a ratio, and are told beside it.
"""

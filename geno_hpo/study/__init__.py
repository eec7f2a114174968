"""The study: storage, launcher, workers, samplers and pruners; where Optuna is known.

`launch.Launch` runs a study on this machine, `worker.Worker` works on one from anywhere, and
`results.outcome_of` gathers what a finished one found.
"""

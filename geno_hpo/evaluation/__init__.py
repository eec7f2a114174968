"""One configuration over all folds: preprocess, train and score networks and baselines."""

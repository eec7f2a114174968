from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.errors import InputError
from geno_hpo.training.protocol import FitPlan, Replica

ONE = Replica(np.arange(4), np.arange(4, 6), 0)
BARE = Replica(np.arange(4), np.arange(0), 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicas": ()}, "at least one replica"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1 or None, got 0"),
        ({"replicas": (ONE, BARE)}, "all replicas or none have validation samples, got 1 of 2"),
        ({"replicas": (BARE,)}, "restore must be 'last' and patience None, got restore='best'"),
    ],
)
def test_plan_rules(options, message):
    with pytest.raises(InputError, match=message):
        FitPlan(**{"params": {}, "replicas": (ONE,), "epochs": 3, **options})


@pytest.mark.parametrize(
    ("train", "valid", "seed", "message"),
    [
        ([], [1], 0, "needs training samples"),
        ([1, 2], [2, 3], 0, "sample 2 is both trained and validated on"),
        ([1], [2], -1, "a seed must be at least 0, got -1"),
    ],
)
def test_replica_rules(train, valid, seed, message):
    with pytest.raises(InputError, match=message):
        Replica(np.array(train, np.intp), np.array(valid, np.intp), seed)

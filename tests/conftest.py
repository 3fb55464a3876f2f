import numpy as np
import pytest
from sklearn.datasets import make_blobs


@pytest.fixture(scope="session")
def blobs():
    """Three classes in six columns, of different units."""
    X, y = make_blobs(90, 6, centers=3, cluster_std=3.0, random_state=0)
    return (X * np.array([1, 10, 100, 0.1, 1, 1])).astype(np.float32), y

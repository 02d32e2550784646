"""The operator tests' control plane: its servers work together, and each can be missed for a while."""

from tests.support.cluster import ApiServer


def test_everything_runs(control_plane: ApiServer) -> None:
    assert control_plane.items("ray.io/v1", "RayJob") == []

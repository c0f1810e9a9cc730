"""The environment in which runs start."""

from seedwise.experiments.command import run_environment


def test_runs_can_share_a_gpu_unless_the_user_says_otherwise() -> None:
    found = run_environment(1, {})
    assert found["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert found["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert run_environment(1, {"XLA_PYTHON_CLIENT_PREALLOCATE": "true"})["XLA_PYTHON_CLIENT_PREALLOCATE"] == "true"

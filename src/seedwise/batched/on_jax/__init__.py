"""The engine that trains JAX functions. It imports jax, so nothing imports it before such a training is asked for."""

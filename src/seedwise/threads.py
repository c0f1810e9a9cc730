"""The settings from which libraries take their number of threads."""

VARIABLES = (
    "OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS BLIS_NUM_THREADS NUMEXPR_NUM_THREADS "
    "VECLIB_MAXIMUM_THREADS TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS RAYON_NUM_THREADS NUMBA_NUM_THREADS"
).split()


def thread_settings(threads: int, xla_flags: str) -> dict[str, str]:
    """Environment variables that give every library this number of threads.

    `xla_flags` are the XLA_FLAGS that are set so far.
    """
    flags = [flag for flag in xla_flags.split() if "intra_op_parallelism" not in flag and "eigen" not in flag]
    multi = "true" if threads > 1 else "false"
    flags += [f"--xla_cpu_multi_thread_eigen={multi}", f"intra_op_parallelism_threads={threads}"]
    return {**dict.fromkeys(VARIABLES, str(threads)), "XLA_FLAGS": " ".join(flags)}

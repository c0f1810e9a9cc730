"""Runs that other tools stored on this machine: Weights & Biases, MLflow, TensorBoard, Optuna, folders of tables.

The files are read as they are: none of these tools has to be installed, and none of its files is changed.
"""

"""What a training that is interrupted and goes on must have kept: its checkpoints, and its state where it goes on."""

"""Seeds that are run elsewhere: what travels to the workers, what they leave, and who collects it. See docs/decisions/0019."""

"""The functions that users call. Only this folder connects the other parts."""

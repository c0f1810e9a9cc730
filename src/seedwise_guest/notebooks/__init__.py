"""A notebook is a script too: its code cells, executed in order."""

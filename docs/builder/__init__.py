"""What makes the site: `python docs/builder`. 0025 of the decisions says why so."""

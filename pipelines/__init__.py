"""How does it all flow? Study definitions, readers, linking, Dagster assets, and the command line."""

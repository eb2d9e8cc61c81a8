"""Generates the typed plugin surface from the proto definitions. Run it with `python -m codegen`."""

"""One file per kind of figure; ``plots.py`` lists them."""

__all__: list[str] = []

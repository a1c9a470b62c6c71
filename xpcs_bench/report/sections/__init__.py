"""One file per question that a reader asks; what they say, all formats say."""

__all__: list[str] = []

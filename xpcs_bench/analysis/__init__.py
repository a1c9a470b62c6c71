"""From raw readings to estimates, comparisons and agreement: numbers in, numbers out."""

__all__: list[str] = []

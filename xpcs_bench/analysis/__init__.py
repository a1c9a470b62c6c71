"""From raw readings to estimates and judgements: numbers in, numbers out."""

__all__: list[str] = []

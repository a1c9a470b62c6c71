"""The command line. Each verb imports what it needs when it is called."""

__all__: list[str] = []

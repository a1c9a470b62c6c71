"""What libraries do when something is tried on them: sentences that hold no number."""

__all__: list[str] = []

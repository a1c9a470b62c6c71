"""The boundaries that can be crossed, by what lies behind them."""

__all__: list[str] = []

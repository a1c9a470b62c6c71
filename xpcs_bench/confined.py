"""The one pydantic base of everything that is read from or written to a file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["ConfinedModel"]


class ConfinedModel(BaseModel):
    """Frozen; unknown fields are refused; attribute docstrings become the schema."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        ser_json_inf_nan="constants",
        allow_inf_nan=True,
        populate_by_name=True,
    )

"""One cremation, found from a plant's signals or told by its controller, and what it used and emitted. Pure."""

"""How each claim is measured."""

"""How a bundle is made."""

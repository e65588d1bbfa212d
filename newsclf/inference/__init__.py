"""How a bundle is used. Never imports training."""

"""What there is to read: articles, how they are cleaned, and how they are split. Knows no model."""

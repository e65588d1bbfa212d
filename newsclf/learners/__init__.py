"""What can be learned. Knows texts and labels; not where articles come from."""

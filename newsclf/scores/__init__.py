"""What a matrix of scores means. Arrays in, arrays out; knows no text."""

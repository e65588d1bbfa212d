"""What a scored corpus says: shares of labels with valid intervals, and the audit sample that makes them valid."""

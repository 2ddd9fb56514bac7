"""What speaks for it that a Service is open to the outside, and what against it."""

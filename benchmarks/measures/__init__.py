"""What is measured: one module a subject, one function a measure, each of which can run alone."""

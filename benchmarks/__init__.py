"""How fast it is, measured side by side: README.md says what is compared, and why it is fair."""

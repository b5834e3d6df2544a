"""Speed, measured side by side with other programs: README.md says which, and why that is fair."""

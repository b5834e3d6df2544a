"""The one representation of each object, for every answer, notification and page."""

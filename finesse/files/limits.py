"""How large a file may be: bounds that hold before anything is read or unpacked."""

FILE_BYTES = 2 * 1024 * 1024
"""Of the file itself. A page takes no larger body (`finesse.server.body_limit`); 5,000 rows have
half of it."""
FILE_SIZE = "2 MB"
"""The same, as people read it."""
UNPACKED_BYTES = 30 * 1024 * 1024
"""Of all parts of an XLSX file together: it is a ZIP archive."""
PARTS = 500
"""In an XLSX file."""
ROWS = 5_000
"""Empty ones included."""
COLUMNS = 60
CELL_CHARACTERS = 2_000
KEPT_BYTES = 2 * 1024 * 1024
"""Of a file's table while its user looks at it: it stays in the page (`finesse.files.kept`)."""
XML_TAGS = 200_000
"""Occurrences of `<`: 5,000 reason codes with twenty elements each."""
XML_ATTRIBUTES = 20_000
"""Occurrences of `=`, also in texts."""
THINKING_SECONDS = 10
"""For which an import may compute between two statements, with the writer's lock."""

"""Files that people import and export: tables in CSV and XLSX, and the pages for them.

What a file is about is not known here: `media.reason_codes.files` and `media.people` say so.
"""

"""The description of the API, made from the code: OpenAPI, pages, a page for every error."""

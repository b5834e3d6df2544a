"""The API of Media, MediaDomain and Dialogs."""

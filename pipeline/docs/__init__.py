"""The generated parts of the documents, and the check of their links."""

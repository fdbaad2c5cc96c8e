"""Run the commands in the documents, and check the names that they use."""

"""The books: double entry that the database itself keeps balanced, complete and unchanged."""

"""What the character remembers: the store, working memory, facts and their retrieval."""

"""What a notebook, a panel or a route asks for: nouns joined, analysis called, tables made."""

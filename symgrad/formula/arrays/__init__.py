"""Array notation, rewritten to index notation."""

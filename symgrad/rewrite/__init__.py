"""The engine: rules as records, what a rule may look at, and their application."""

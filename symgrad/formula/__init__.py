"""What the user wrote: YAML with line numbers, expression reader, domains, vocabulary -> Program."""

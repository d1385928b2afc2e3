"""The command `symgrad`: one module a command. Installed as `symgrad_cli`; the library never imports it."""

"""The `tunesmith` command's own subcommands, one module per noun."""

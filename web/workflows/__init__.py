"""What the pages about workflows and their runs show, as values for their templates."""

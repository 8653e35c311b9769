"""What the pages of workflows share."""

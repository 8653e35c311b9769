"""Labellings: people judge a model's answers, rows' own answers or rows that a model made up, one by one."""

"""From a wish in plain words and a few examples to what a good answer is: form, checks, what is to decide, a prompt.

All of it follows from rules, so that the same wish always comes to the same proposal, with no model to be asked.
"""

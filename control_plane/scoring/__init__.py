"""A reward's checks on answers, in a process of its own: both the checks' patterns and the answers are strangers'.

It knows neither database nor network. The checks are the methods' own (methods/kit), found where the order says.
"""

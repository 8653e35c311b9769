"""Reads a stranger's file and makes the rows of a dataset version of it, in a process of its own (ADR 27).

It knows neither database nor network: an order and a folder come in, files go out (`domain/preparation.py`).
"""

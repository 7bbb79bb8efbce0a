"""The pages about conditions: how patients read and search them, and how staff edit them.

Protocols name these pages by `condition/slug`.
"""

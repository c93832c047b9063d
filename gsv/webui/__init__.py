"""The web pages: tabs for every stage, and the named endpoints that scripts call."""

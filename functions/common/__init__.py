"""Code that two functions share: databases, secrets, dumps, events. An archive contains what it imports."""

"""What two functions share: databases, secrets, dumps, events. An archive has what its function imports."""

"""What a plan must satisfy, a room for each subject."""

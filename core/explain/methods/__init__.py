"""One method of explanation a file."""

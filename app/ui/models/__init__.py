"""The models a person can get, use and delete."""

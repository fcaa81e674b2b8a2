"""Where things lie, what the person chose, how texts are translated."""

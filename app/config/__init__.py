"""What every part may ask for: where things lie, what the person chose, how texts are translated."""

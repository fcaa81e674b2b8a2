"""What runs models: the loop that shares one model thread, and a recognizer for each model family.

Everything here that touches MLX is imported and used on the engine thread only.
"""

"""Sound in: any media file, the microphone, and what can be measured on it without a model."""

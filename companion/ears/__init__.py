"""From sound to words: microphone, wake word, voice activity, segmenter, transcribers, listener."""

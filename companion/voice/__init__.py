"""From words to sound: the stage filter, sentences, synthesizers, loudness, the loudspeaker."""

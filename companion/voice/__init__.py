"""From the model's text to sound: stage directions, sentences, synthesizers, lip sync, the loudspeaker.

stage/               what is spoken, and the cues in it
sentences            the spoken text in pieces that can be synthesized
synthesizer_espeak   text to speech with espeak-ng
synthesizer_piper    text to speech with Piper
lipsync              mouth openings, the times of cues, even loudness
playback             the queue between event loop and audio thread
speaker              the loudspeaker of the sound card
"""

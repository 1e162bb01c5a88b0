"""Who may speak now: the one state machine.

Rule 1  There is one state at a time. Only `_enter` changes it, and every change is recorded and shown by the body.
Rule 2  IDLE: only the wake word (or the button) is listened for; in open mode, words.
Rule 3  A wake leads to LISTENING from every state but MUTED. If a turn is running it is interrupted first: silence,
        then everything else; only what was heard is remembered. Another unit that heard it better leads back to IDLE.
Rule 4  LISTENING: an utterance leads to THINKING; nobody speaking leads to IDLE. On the first wake of a new session
        a short silence is enough for the character to say its opening line, which leads back to LISTENING. A pause in
        an utterance is enough for its answer to be made, unheard; going on with other words drops that answer.
Rule 5  THINKING leads to SPEAKING with the first sound of the answer. Speech holds the answer in both, and so does the
        first sign of it. Words lead to LISTENING; without any, or with a listener's "mhm", it goes on where it was.
        Words that began before it, or soon after its first sound, take it back: all that was said is answered as one.
Rule 6  The end of a turn leads to FOLLOW_UP, where no wake word is needed; after a goodbye, or where follow-up is off,
        or the talk has lasted too long, to IDLE. FOLLOW_UP: speech leads to LISTENING; nobody speaking leads to IDLE.
Rule 7  A spoken "stop" (also a stop word over an answer) or "goodbye" ends the talk; it is never put to the character.
Rule 8  Muting leads to MUTED from every state, and a running turn is interrupted. Nothing is listened to, kept,
        examined or said until unmuting leads to IDLE.
Rule 9  No state can stick: LISTENING and FOLLOW_UP are bounded by endpointing in audio time, THINKING and SPEAKING
        by the turn's longest time; a lost microphone leads to IDLE until it is back.
Rule 10 Where the owner wants it, the character goes on by itself after a long silence behind its answer: from
        FOLLOW_UP or IDLE only, a limited number of times until somebody speaks, never in quiet hours.
Rule 11 A unit that has nothing to understand speech with, or that may not talk now (time, bedtime, no consent), answers
        every wake with a line that says so, and listens to no words.
Rule 12 While it learns a voice, calls and words answer its questions. The button, muting, "stop", "goodbye" end that.
Rule 13 A new persona, and what `companion control say` asks for (muting and "stop" drop it), wait until nobody speaks.

All inputs arrive one after the other through the listener, so no two of them can be half done at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from companion.announcements import Announcements
from companion.answers import Answers, Say
from companion.conversation_rules import ConversationRules, back_off
from companion.dialogue import Dialogue
from companion.ears.attention import Attention
from companion.ears.listener import Listener
from companion.errors import CompanionError, DeviceError, SpeechError
from companion.events import (
    EAR_RATE,
    Control,
    FirstSign,
    Hearing,
    LikelyUtterance,
    NobodySpoke,
    NoWords,
    Partial,
    SpeechResumed,
    SpeechStarted,
    State,
    Utterance,
    WakeHeard,
)
from companion.handover import Handover
from companion.long_silence import LongSilence
from companion.voice_lesson import Teach, VoiceLesson


class Conversation:
    """One device's talk with whoever is there. `run` it once; it ends only when the microphone's file ends."""

    def __init__(
        self,
        listener: Listener,
        dialogue: Dialogue,
        rules: ConversationRules,
        on_change: Callable[[], None] = lambda: None,
        teach: Teach | None = None,
    ) -> None:
        """`on_change` is called after every change of state; `teach` holds a lesson (`voice_lesson`)."""
        self._listener, self._rules, self._on_change = listener, rules, on_change
        self._answers = Answers(
            *(dialogue.tools, rules.take_back_s, self._turn_ended),
            on_filler=lambda: self._enter(State.THINKING, self._rules.attention_in(State.SPEAKING)),
        )
        self._somebody_speaks = False
        """Whether speech began that is not over yet."""
        self._attention = Attention.WAKE
        self._silence = LongSilence(rules, lambda: listener.inject(Control("continue")))
        self._announcements, self._handover, self._lesson = Announcements(), Handover(), VoiceLesson(teach)
        self._group: asyncio.TaskGroup
        self.state: State | None = None
        self.dialogue = dialogue
        """The character that speaks now."""
        self._event_log = dialogue.tools.event_log

    @property
    def is_answering(self) -> bool:
        """Whether an answer is being made or said."""
        return self.state in (State.THINKING, State.SPEAKING)

    @property
    def is_preparing(self) -> bool:
        """The same, unless it waits for somebody who seems to speak."""
        return self.is_answering and not self._somebody_speaks

    @property
    def announcements_waiting(self) -> int:
        """How many wait until nobody speaks."""
        return len(self._announcements)

    def announce(self, text: str) -> None:
        """Say this as soon as nobody speaks. Raises `CompanionError` while muted, and where too much waits already."""
        if self.state is State.MUTED:
            raise CompanionError("The device is muted and says nothing; unmute it first.")
        self._announcements.add(text)
        self._listener.inject(Control("say"))

    async def switch_to(self, dialogue: Dialogue) -> Dialogue:
        """Let another character take over as soon as nobody speaks. Returns the previous one once that has happened."""
        previous = self._handover.request(dialogue)
        self._listener.inject(Control("reload"))
        return await previous

    async def run(self) -> None:
        """Listen and answer until the sound ends."""
        waits, last_error = back_off(), ""
        async with asyncio.TaskGroup() as self._group:
            self._answers.use(self._group)
            self._go_idle()
            while True:
                try:
                    async for heard in self._listener.hear():
                        waits, last_error = back_off(), ""
                        await self._handle(heard)
                    break
                except SpeechError as error:
                    self._record_error(error)
                    if self.state is not State.MUTED:
                        await self._interrupt()
                        self._say("failed", State.FOLLOW_UP)
                except DeviceError as error:
                    # Said once, however often it is tried again.
                    if str(error) != last_error:
                        self._record_error(error)
                    last_error = str(error)
                    if not self._rules.reopens_microphone:
                        raise
                    self._go_on()
                    if self._lesson.runs or self.state in (State.LISTENING, State.FOLLOW_UP):
                        await self._interrupt()
                        self._go_idle()
                    await asyncio.sleep(next(waits))
            await self._interrupt()
            self._silence.end()

    async def _handle(self, hearing: Hearing) -> None:
        await self.dialogue.ready_for(hearing)
        match heard := self._lesson.heeded(hearing, self.dialogue.persona, self._rules.stop_words):
            case Control(action="mute"):
                self._announcements.clear()
                await self._interrupt()
                self._enter(State.MUTED, Attention.NOTHING)
            case Control(action="unmute") if self.state is State.MUTED:
                self._go_idle()
            case Control(action="reload") if self._answers.current is None:
                await self._answers.drop_ahead()
                self.dialogue = self._handover.take(self.dialogue)
            case _ if self.state is State.MUTED:
                pass
            case Control(action="stop" | "yield"):
                if heard.action == "stop":
                    self._announcements.clear()
                await self._interrupt()
                self._silence.end()
                self._go_idle()
            case Control(action="say") if self.state in (State.IDLE, State.FOLLOW_UP):
                self._say_next_announcement()
            case Control(action="continue") if (
                self.state in (State.IDLE, State.FOLLOW_UP) and self._rules.may_speak_first()
            ):
                self._silence.continued += 1
                self._start(lambda _: self.dialogue.continue_speaking(self._first_sound))
            case FirstSign() if self.is_preparing and self._rules.barge_in != "off":
                self._answers.heed(heard)
            case WakeHeard() if heard.word in self._rules.stop_words:
                self._event_log.record("stop", word=heard.word)
                await self._handle(Control("stop"))
            case WakeHeard() if heard.word != "button" and self.is_answering and self._rules.barge_in == "off":
                pass
            case WakeHeard():
                self._event_log.record("wake", word=heard.word)
                await self._interrupt()
                self._lesson.woken_by = heard.word
                self.dialogue.address(self._rules.characters.get(heard.word, ""))
                self._talk_began = self.dialogue.tools.clock.now()
                if not self._rules.listens:
                    self._start(lambda _: self.dialogue.say_why_not(self._first_sound))
                    return
                wait = self._rules.opening_after_s if self.dialogue.pending_opening() else self._rules.nobody_s
                self._enter(State.LISTENING, Attention.WORDS(wait))
                self._prepare()
            case SpeechStarted():
                self._event_log.record("speech_started")
                self._somebody_speaks = True
                if self.is_answering:
                    self._answers.hold(duck=self._rules.barge_in == "words" and self.state is State.SPEAKING)
                elif self.state is not State.LISTENING:
                    self._enter(State.LISTENING)
                    self._prepare()
            case SpeechResumed():
                self._somebody_speaks = True
            case Partial():
                self._event_log.record("partial", text=heard.text)
                await self._listen_instead(heard.text)
                await self._answers.drop_ahead()
            case LikelyUtterance():
                await self._listen_instead(heard.utterance.text)
                await self._think_ahead(heard.utterance)
            case Utterance():
                if self.is_answering:
                    self._event_log.record("aside", text=heard.text)
                    self._go_on()
                else:
                    await self._answer(heard)
            case NoWords():
                self._go_on()
                if self.state is State.LISTENING and self._attention is Attention.SPEECH:
                    self._enter(State.LISTENING, Attention.WORDS(self._rules.nobody_s))
                    await self._answer(None)
            case NobodySpoke():
                if self.state is State.LISTENING and (line := self.dialogue.pending_opening()):
                    self._start(lambda _: self.dialogue.say_opening(line, self._first_sound))
                else:
                    self._go_idle()

    async def _listen_instead(self, words: str) -> None:
        """Stop the answer for these words, if they are such as an answer stops for."""
        if self.is_answering and self.dialogue.interrupts(words):
            await self._answers.stop_for_words()
            self._enter(State.LISTENING)
            self._prepare()

    async def _think_ahead(self, utterance: Utterance) -> None:
        """Begin to make the answer to what may be all that is said."""
        whole, dialogue = self._answers.whole(utterance) or utterance, self.dialogue
        if self.state is State.LISTENING and not self._answers.is_ahead(whole.text):
            self._group.create_task(dialogue.prepare_speaker())
            await self._answers.drop_ahead()
            # Who leaves amid an early answer is not answered, whatever they had said before.
            if dialogue.may_think_ahead(whole.text) and dialogue.command(utterance.text) is None:
                self._answers.make_ahead(lambda floor: dialogue.reply(whole, None, self._first_sound, floor), whole)

    async def _answer(self, utterance: Utterance | None) -> None:
        """Answer what was said; None where what took an answer back turned out to hold no words."""
        whole = self._answers.whole(utterance)
        if whole is None:
            return
        self._somebody_speaks = False
        times = {"start": round(whole.start / EAR_RATE, 3), "end": round(whole.end / EAR_RATE, 3)}
        self._event_log.record("utterance", text=whole.text, confidence=round(whole.confidence, 3), **times)
        self._silence.continued = 0
        if self._answers.is_ahead(whole.text):
            self._answers.give_ahead()
            self._enter(State.THINKING, self._rules.attention_in(State.THINKING))
            self._group.create_task(self.dialogue.prepare_speaker())
            return
        await self._answers.drop_ahead()
        dialogue = self.dialogue
        command = dialogue.command(utterance.text) if utterance is not None else None
        match command or dialogue.command(whole.text):
            case "stop":
                await self._handle(Control("stop"))
            case "goodbye":
                self._say("goodbye", State.IDLE)
            case "guest":
                dialogue.character.start_guest_session()
                self._say("guest", State.FOLLOW_UP)
            case "learn_voice":
                self._start(lambda _: self._lesson.give(dialogue, lambda state: self._enter(state, Attention.SPEECH)))
            case "again" if (answer := dialogue.character.rephrase()) is not None:
                self._start(lambda floor: dialogue.reply(whole, answer, self._first_sound, floor), whole)
            case _:
                self._start(lambda floor: dialogue.reply(whole, None, self._first_sound, floor), whole)

    def _start(self, say: Say, answers: Utterance | None = None) -> None:
        """An answer will be said soon: a loudspeaker that fell asleep during long speech wakes up meanwhile."""
        self._enter(State.THINKING, self._rules.attention_in(State.THINKING))
        self._group.create_task(self.dialogue.prepare_speaker())
        self._answers.start(say, answers)

    def _say(self, line: str, then: State) -> None:
        """Say one of the persona's own lines."""
        self._start(lambda _: self.dialogue.say_line(line, then, self._first_sound))

    def _first_sound(self) -> None:
        self._answers.note_first_sound()
        self._enter(State.SPEAKING, self._rules.attention_in(State.SPEAKING))

    def _turn_ended(self, then: State) -> None:
        self.dialogue = self._handover.take(self.dialogue)
        if not self._rules.listens:
            self._go_idle()
        elif self._somebody_speaks and then in (State.LISTENING, State.FOLLOW_UP):
            self._enter(State.LISTENING)
            return
        elif then is State.LISTENING:
            self._enter(State.LISTENING, Attention.WORDS(self._rules.nobody_s))
        elif then is State.FOLLOW_UP and self._rules.follows_up(self.dialogue.tools.clock.now() - self._talk_began):
            self._enter(State.FOLLOW_UP, Attention.WORDS(self._rules.follow_up_s, as_before=self._rules.by_wake))
            self._silence.begin(self._group, self.dialogue.tools.clock)
        else:
            self._go_idle()
        self._say_next_announcement()

    def _say_next_announcement(self) -> None:
        if self._announcements:
            text = self._announcements.popleft()
            self._start(lambda _: self.dialogue.say_text(text, State.FOLLOW_UP, self._first_sound, guarded=True))

    def _go_idle(self) -> None:
        self._enter(State.IDLE, self._rules.idle_attention)

    def _go_on(self) -> None:
        """Whoever seemed to speak does not, or not any more: an answer that waited for them goes on."""
        self._somebody_speaks = False
        self._answers.go_on()

    async def _interrupt(self) -> None:
        """Barge-in: silence before anything else is done. What was made ahead is dropped too."""
        self._somebody_speaks = False
        await self._answers.end()
        await self._answers.drop_ahead()

    def _prepare(self) -> None:
        """Somebody is about to speak: open the connection meanwhile. The loudspeaker waits until they seem to end."""
        self._group.create_task(self.dialogue.character.prepare())

    def _record_error(self, error: CompanionError) -> None:
        self._event_log.record("error", code=error.code, sentence=str(error))

    def _enter(self, state: State, attention: Attention | None = None) -> None:
        if attention is not None:
            self._listener.listen_for(attention)
            # A change drops the words that were being said; to listen on over an answer changes nothing.
            self._somebody_speaks = self._somebody_speaks and attention is self._attention is Attention.SPEECH
            self._attention = attention
        if state not in (State.IDLE, State.FOLLOW_UP):
            self._silence.end()
        if state is not self.state:
            if self.state in (State.IDLE, None):
                self._talk_began = self.dialogue.tools.clock.now()
            self.state = state
            self._event_log.record("state", state=state.value)
            self.dialogue.tools.animator.show_state(state.value)
            self._on_change()

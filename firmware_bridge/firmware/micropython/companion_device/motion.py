"""Values, keyframes and limits of channels, in frames of 20 ms. Integers only, as in the C firmware."""

LIGHT, SERVO, MOTOR, MOUTH = 1, 2, 3, 4
QUEUE = 4
FRAME_MS = 20
FRAMES_A_SECOND = 50
RISE_PAUSE = 17
RUNS_ON = 5
"""Frames for which a channel still counts as running after it last moved."""


def divided(number, by):
    """Divide, rounding towards zero."""
    return number // by if number >= 0 else -(-number // by)


def stepped(value, goal, step):
    return min(goal, value + step) if goal > value else max(goal, value - step)


def fastest_to_stop(distance, acceleration, step):
    """The largest change per frame, up to `step`, that can slow down by `acceleration` a frame within `distance`."""
    slower = 0
    while distance > acceleration * (slower + 1) * (slower + 2) // 2:
        slower += 1
        if slower * acceleration >= step:
            return step
    return min(step, (distance + acceleration * slower * (slower + 1) // 2) // (slower + 1))


class Motion:
    """All channels, and the current that they share. `budget` is in milliamperes; 0 means no limit."""

    def __init__(self, limits, budget):
        self.channels = [Channel(one) for one in limits]
        self.budget = budget
        self.held = False
        self.locked = False
        self._turn = 0

    def go_neutral(self):
        """Head for the neutral pose: motors and lights are there at once, the others get there within their limits."""
        for channel in self.channels:
            channel.go_neutral()

    def lock(self):
        """Stop everything but the lights where it is. Servos and mouths hold nothing until `unlock`."""
        self.locked = True
        for channel in self.channels:
            channel.stop()

    def unlock(self):
        self.locked = False

    def moving(self):
        return any(channel.moving() for channel in self.channels if channel.kind == LIGHT or not self.locked)

    def frame(self):
        """Let 20 ms pass. At most one standing channel may start in each frame, and only if the current suffices."""
        used = sum(channel.current for channel in self.channels if channel.runs)
        first, count = self._turn, len(self.channels)
        begun = self.held = False
        for place in range(count):
            number = (first + place) % count
            channel = self.channels[number]
            goal = channel.advance()
            if goal is None:
                continue
            if self.locked:
                channel.stand()
                continue
            if channel.current and not channel.runs and channel.wants(goal):
                if begun or (used and self.budget and used + channel.current > self.budget):
                    self.held = True
                    continue
                begun = True
                used += channel.current
                self._turn = (number + 1) % count
            self.held |= channel.resting
            channel.move(goal)


class Channel:
    """One output. `limits` is (kind, low, neutral, high, fastest, acceleration, longest, rest, current)."""

    def __init__(self, limits):
        self.limits = limits
        self.kind, self.low, self.neutral, self.high, fastest, acceleration, longest, rest, self.current = limits
        self._step = fastest // FRAMES_A_SECOND or 1
        self._glide = self._step
        self._gliding = False
        """Whether it is on its own way to neutral, or has not yet caught up with the host since."""
        self._acceleration = acceleration and (acceleration // (FRAMES_A_SECOND * FRAMES_A_SECOND) or 1)
        self._longest = (longest + FRAME_MS - 1) // FRAME_MS
        self._rest_frames = (rest + FRAME_MS - 1) // FRAME_MS
        self.value = self._rest()
        self.runs = 0
        self.resting = False
        self.released = self.kind in (SERVO, MOUTH)
        """Whether it gets no pulses, so that it neither moves nor holds: after the start and a lock, until it runs."""
        self._speed = 0
        self._ran = 0
        self._rested = 0
        self._target = self._rest()
        self._start = self._rest()
        self._queue = []
        self._done = 0
        self._falling = [True, True]
        self._since_rise = [RISE_PAUSE, RISE_PAUSE]

    def _rest(self):
        return [0, 0, 0] if self.kind == LIGHT else [self.neutral]

    def _goal(self, data):
        """The goal in three bytes, and whether it was clamped."""
        if self.kind == LIGHT:
            return list(data), False
        asked = data[0] | data[1] << 8
        if asked & 0x8000:
            asked -= 0x10000
        goal = min(max(asked, self.low), self.high)
        return [goal], goal != asked

    def has_room(self, keyframes):
        return len(self._queue) + keyframes <= QUEUE

    def set(self, data):
        """Go to the value in three bytes. Returns whether it was clamped."""
        self._queue = []
        self._done = 0
        self._target, clamped = self._goal(data)
        return clamped

    def add(self, smooth, ms, data):
        """Append a keyframe to the queue. Returns whether its value was clamped."""
        goal, clamped = self._goal(data)
        self._queue.append(((ms + FRAME_MS - 1) // FRAME_MS or 1, goal, smooth))
        return clamped

    def set_glide(self, fastest):
        """How fast it goes to neutral by itself, per second; 0: as fast as it may."""
        self._glide = min(self._step, fastest // FRAMES_A_SECOND or 1) if fastest else self._step

    def go_neutral(self):
        self._queue = []
        self._done = 0
        self._gliding = True
        self._target = self._rest()
        if self.kind == LIGHT:
            self._falling = [True, True]
            self.value = self._rest()
        elif self.kind == MOTOR:
            self._speed = 0
            self.value = self._rest()

    def stop(self):
        """Stop at once. A motor stands still at its neutral value, a servo or mouth where it is, without pulses."""
        if self.kind == LIGHT:
            return
        if self.kind == MOTOR:
            self.value = self._rest()
        else:
            self.released = True
        self._queue = []
        self._done = 0
        self._speed = 0
        self._target = list(self.value)

    def moving(self):
        return bool(self._queue) or self._speed != 0 or self.value != self._target

    def data(self):
        """The output as three bytes."""
        if self.kind == LIGHT:
            return bytes(self.value)
        return bytes((self.value[0] & 0xFF, self.value[0] >> 8 & 0xFF, 0))

    def advance(self):
        """Let 20 ms pass for the target. Returns where the output should go, or None for a light, which is there."""
        if self._queue:
            self._follow()
        if self.kind == LIGHT:
            new = [stepped(value, goal, self._step) for value, goal in zip(self.value, self._target)]
            if self._may_show(new):
                self.value = new
            return None
        if not self.resting:
            return self._target[0]
        return self.neutral if self.kind == MOTOR else self.value[0]

    def wants(self, goal):
        """Whether the output still has to move, to be held again, or is a motor that turns."""
        at = self.value[0]
        return self.released or at != goal or self._speed != 0 or (self.kind == MOTOR and at != self.neutral)

    def move(self, goal):
        """Move towards the goal within slew rate and acceleration."""
        self._count(self.wants(goal))
        self.released = False
        at = self.value[0]
        step = self._glide if self._gliding else self._step
        if at == goal and not self._speed:
            self._gliding = False
        if not self._acceleration:
            self.value = [stepped(at, goal, step)]
            return
        most = fastest_to_stop(abs(goal - at), self._acceleration, step)
        self._speed = stepped(self._speed, most if goal > at else -most, self._acceleration)
        self.value = [at + self._speed]

    def stand(self):
        """Let 20 ms pass without motion."""
        self._count(False)

    def _count(self, drives):
        """Count how long it runs and rests."""
        if drives:
            self.runs = RUNS_ON
        elif self.runs:
            self.runs -= 1
        if not self._longest:
            return
        if drives:
            self._rested = 0
            self._ran = min(self._ran + 1, self._longest)
            self.resting = self._ran == self._longest
        else:
            self._rested = min(self._rested + 1, 0xFFFF)
            if self._rested >= self._rest_frames:
                self._ran = 0
                self.resting = False

    def _follow(self):
        frames, goal, smooth = self._queue[0]
        if self._done == 0:
            self._start = self._target
        self._done += 1
        if self._done >= frames:
            self._target = goal
            self._queue.pop(0)
            self._done = 0
            return
        progress = self._done * 256 // frames
        if smooth:
            progress = progress * progress * (768 - 2 * progress) // 65536
        self._target = [start + divided((end - start) * progress, 256) for start, end in zip(self._start, goal)]

    def _may_show(self, new):
        """Whether this colour keeps the flash limit: luminance and red may start to rise only every 17 frames."""
        red, green, blue = (after - before for after, before in zip(new, self.value))
        changes = (2 * red + 7 * green + blue, red)
        for seen in (0, 1):
            if self._since_rise[seen] < RISE_PAUSE:
                self._since_rise[seen] += 1
        for seen in (0, 1):
            if changes[seen] > 0 and self._falling[seen] and self._since_rise[seen] < RISE_PAUSE:
                return False
        for seen in (0, 1):
            if changes[seen] > 0 and self._falling[seen]:
                self._since_rise[seen] = 0
            if changes[seen]:
                self._falling[seen] = changes[seen] < 0
        return True

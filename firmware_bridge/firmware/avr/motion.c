#include "motion.h"

#include <string.h>

#define FRAME_MS 20
#define FRAMES_A_SECOND 50
#define RISE_PAUSE 17
#define RUNS_ON 5 /* frames for which a channel still counts as running after it last moved */

struct keyframe {
    int16_t goal[3];
    uint16_t frames;
    bool smooth;
};

static struct channel {
    int16_t value[3], target[3], start[3]; /* positions use only the first element */
    struct keyframe queue[QUEUE];
    uint8_t first, waiting;
    uint16_t done; /* frames of the first keyframe that have passed */
    int16_t speed; /* change in the last frame; only for channels with an acceleration */
    uint16_t ran, rested; /* frames */
    int16_t glide; /* the largest change per frame on its own way to neutral */
    bool gliding;  /* it is on that way, or has not yet caught up with the host since */
    bool resting;
    bool released; /* gets no pulses, so that it neither moves nor holds: after the start and a lock, until it runs */
    uint8_t runs;
    bool falling[2];
    uint8_t since_rise[2];
} channels[CHANNELS];

static uint8_t turn; /* the channel that is asked first whether it starts to run */
static bool held, locked;

static bool has_pulses(uint8_t channel) { return LIMITS[channel].kind == SERVO || LIMITS[channel].kind == MOUTH; }

static uint8_t parts(uint8_t channel) { return LIMITS[channel].kind == LIGHT ? 3 : 1; }

static int16_t stepped(int16_t value, int16_t goal, int16_t step)
{
    if (goal > value)
        return goal - value > step ? value + step : goal;
    return value - goal > step ? value - step : goal;
}

static bool read_value(uint8_t channel, const uint8_t *bytes, int16_t goal[3])
{
    const __flash struct channel_limits *limits = &LIMITS[channel];
    if (limits->kind == LIGHT) {
        for (uint8_t i = 0; i < 3; i++)
            goal[i] = bytes[i];
        return false;
    }
    int16_t asked = (int16_t)(bytes[0] | (uint16_t)bytes[1] << 8);
    goal[0] = asked < limits->low ? limits->low : asked > limits->high ? limits->high : asked;
    goal[1] = goal[2] = 0;
    return goal[0] != asked;
}

static int16_t step_of(uint8_t channel)
{
    int16_t step = LIMITS[channel].fastest / FRAMES_A_SECOND;
    return step ? step : 1;
}

void motion_set_glide(uint8_t channel, uint16_t fastest)
{
    int16_t step = fastest / FRAMES_A_SECOND;
    if (step == 0)
        step = 1;
    channels[channel].glide = fastest && step < step_of(channel) ? step : step_of(channel);
}

void motion_start(void)
{
    memset(channels, 0, sizeof channels);
    turn = 0;
    held = locked = false;
    for (uint8_t i = 0; i < CHANNELS; i++) {
        channels[i].released = has_pulses(i);
        channels[i].glide = step_of(i);
        channels[i].value[0] = channels[i].target[0] = LIMITS[i].neutral;
        channels[i].falling[0] = channels[i].falling[1] = true;
        channels[i].since_rise[0] = channels[i].since_rise[1] = RISE_PAUSE;
    }
}

void motion_neutral(void)
{
    for (uint8_t i = 0; i < CHANNELS; i++) {
        struct channel *one = &channels[i];
        one->waiting = 0;
        one->done = 0;
        one->gliding = true;
        for (uint8_t part = 0; part < 3; part++)
            one->target[part] = 0;
        one->target[0] = LIMITS[i].neutral;
        if (LIMITS[i].kind == LIGHT) {
            one->falling[0] = one->falling[1] = true;
            memcpy(one->value, one->target, sizeof one->value);
        } else if (LIMITS[i].kind == MOTOR) {
            one->speed = 0;
            one->value[0] = LIMITS[i].neutral;
        }
    }
}

void motion_lock(void)
{
    locked = true;
    for (uint8_t i = 0; i < CHANNELS; i++) {
        struct channel *one = &channels[i];
        if (LIMITS[i].kind == LIGHT)
            continue;
        if (LIMITS[i].kind == MOTOR)
            one->value[0] = LIMITS[i].neutral;
        one->released = has_pulses(i);
        one->waiting = 0;
        one->done = 0;
        one->speed = 0;
        one->target[0] = one->value[0];
    }
}

void motion_unlock(void) { locked = false; }

bool motion_locked(void) { return locked; }

bool motion_has_room(uint8_t channel, uint8_t keyframes) { return channels[channel].waiting + keyframes <= QUEUE; }

bool motion_set(uint8_t channel, const uint8_t *value)
{
    struct channel *one = &channels[channel];
    one->waiting = 0;
    one->done = 0;
    return read_value(channel, value, one->target);
}

bool motion_add(uint8_t channel, bool smooth, uint16_t ms, const uint8_t *value)
{
    struct channel *one = &channels[channel];
    struct keyframe *next = &one->queue[(one->first + one->waiting) % QUEUE];
    one->waiting++;
    next->smooth = smooth;
    next->frames = ms / FRAME_MS + (ms % FRAME_MS != 0);
    if (next->frames == 0)
        next->frames = 1;
    return read_value(channel, value, next->goal);
}

static void follow_keyframes(struct channel *one)
{
    const struct keyframe *now = &one->queue[one->first];
    if (one->done == 0)
        memcpy(one->start, one->target, sizeof one->start);
    one->done++;
    if (one->done >= now->frames) {
        memcpy(one->target, now->goal, sizeof one->target);
        one->first = (one->first + 1) % QUEUE;
        one->waiting--;
        one->done = 0;
        return;
    }
    int32_t progress = (int32_t)one->done * 256 / now->frames;
    if (now->smooth)
        progress = progress * progress * (768 - 2 * progress) / 65536;
    for (uint8_t part = 0; part < 3; part++)
        one->target[part] = one->start[part] + (int32_t)(now->goal[part] - one->start[part]) * progress / 256;
}

/* The flash limit: luminance (index 0) and red (index 1) may start to rise only every RISE_PAUSE frames. */
static void show_light(struct channel *one, int16_t step)
{
    int16_t next[3];
    for (uint8_t part = 0; part < 3; part++)
        next[part] = stepped(one->value[part], one->target[part], step);
    int16_t change[2] = {
        2 * (next[0] - one->value[0]) + 7 * (next[1] - one->value[1]) + (next[2] - one->value[2]),
        next[0] - one->value[0],
    };
    for (uint8_t seen = 0; seen < 2; seen++)
        if (one->since_rise[seen] < RISE_PAUSE)
            one->since_rise[seen]++;
    for (uint8_t seen = 0; seen < 2; seen++)
        if (change[seen] > 0 && one->falling[seen] && one->since_rise[seen] < RISE_PAUSE)
            return;
    for (uint8_t seen = 0; seen < 2; seen++) {
        if (change[seen] > 0 && one->falling[seen])
            one->since_rise[seen] = 0;
        if (change[seen] != 0)
            one->falling[seen] = change[seen] < 0;
    }
    memcpy(one->value, next, sizeof next);
}

static uint16_t frames_of(uint16_t ms) { return ms / FRAME_MS + (ms % FRAME_MS != 0); }

/* The largest change per frame, up to step, that can slow down by acceleration a frame within distance. */
static int16_t fastest_to_stop(int32_t distance, int16_t acceleration, int16_t step)
{
    int32_t slower = 0, to_stop = acceleration;
    while (distance > to_stop) {
        slower++;
        if (slower * acceleration >= step)
            return step;
        to_stop += acceleration * (slower + 1);
    }
    int32_t most = (distance + acceleration * slower * (slower + 1) / 2) / (slower + 1);
    return most < step ? most : step;
}

/* Counts how long a channel runs and rests. */
static void count(struct channel *one, uint8_t channel, bool drives)
{
    uint16_t longest = frames_of(LIMITS[channel].longest);
    if (drives)
        one->runs = RUNS_ON;
    else if (one->runs)
        one->runs--;
    if (!longest)
        return;
    if (drives) {
        one->rested = 0;
        if (one->ran < longest)
            one->ran++;
        one->resting = one->ran == longest;
    } else {
        if (one->rested != UINT16_MAX)
            one->rested++;
        if (one->rested >= frames_of(LIMITS[channel].rest)) {
            one->ran = 0;
            one->resting = false;
        }
    }
}

/* Lets one frame pass for the target. Returns whether the output has to follow to goal; a light is there already. */
static bool advance(struct channel *one, uint8_t channel, int16_t *goal)
{
    if (one->waiting)
        follow_keyframes(one);
    if (LIMITS[channel].kind == LIGHT) {
        show_light(one, step_of(channel));
        return false;
    }
    *goal = !one->resting ? one->target[0] : LIMITS[channel].kind == MOTOR ? LIMITS[channel].neutral : one->value[0];
    return true;
}

static bool wants(const struct channel *one, uint8_t channel, int16_t goal)
{
    return one->released || one->value[0] != goal || one->speed != 0 ||
           (LIMITS[channel].kind == MOTOR && one->value[0] != LIMITS[channel].neutral);
}

static void move(struct channel *one, uint8_t channel, int16_t goal)
{
    count(one, channel, wants(one, channel, goal));
    one->released = false;
    int16_t step = one->gliding ? one->glide : step_of(channel), at = one->value[0];
    if (at == goal && !one->speed)
        one->gliding = false;
    if (!LIMITS[channel].acceleration) {
        one->value[0] = stepped(at, goal, step);
        return;
    }
    int16_t acceleration = LIMITS[channel].acceleration / (FRAMES_A_SECOND * FRAMES_A_SECOND);
    if (acceleration == 0)
        acceleration = 1;
    int32_t distance = (int32_t)goal - at;
    int16_t most = fastest_to_stop(distance < 0 ? -distance : distance, acceleration, step);
    one->speed = stepped(one->speed, distance > 0 ? most : -most, acceleration);
    one->value[0] = at + one->speed;
}

void motion_frame(void)
{
    uint16_t used = 0;
    for (uint8_t i = 0; i < CHANNELS; i++)
        if (channels[i].runs)
            used += LIMITS[i].current;
    uint8_t i = turn;
    bool begun = false;
    held = false;
    for (uint8_t place = 0; place < CHANNELS; place++, i = (i + 1) % CHANNELS) {
        struct channel *one = &channels[i];
        uint16_t current = LIMITS[i].current;
        int16_t goal;
        if (!advance(one, i, &goal))
            continue;
        if (locked) {
            count(one, i, false);
            continue;
        }
        if (current && !one->runs && wants(one, i, goal)) {
            if (begun || (used && BUDGET && used + current > BUDGET)) {
                held = true;
                continue;
            }
            begun = true;
            used += current;
            turn = (i + 1) % CHANNELS;
        }
        held |= one->resting;
        move(one, i, goal);
    }
}

bool motion_held(void) { return held; }

bool motion_moving(void)
{
    for (uint8_t i = 0; i < CHANNELS; i++) {
        const struct channel *one = &channels[i];
        if (locked && LIMITS[i].kind != LIGHT)
            continue;
        if (one->waiting || one->speed || memcmp(one->value, one->target, sizeof one->value[0] * parts(i)) != 0)
            return true;
    }
    return false;
}

void motion_write(uint8_t channel, uint8_t *value)
{
    const int16_t *now = channels[channel].value;
    if (LIMITS[channel].kind == LIGHT) {
        for (uint8_t part = 0; part < 3; part++)
            value[part] = (uint8_t)now[part];
    } else {
        value[0] = (uint8_t)now[0];
        value[1] = (uint8_t)((uint16_t)now[0] >> 8);
        value[2] = 0;
    }
}

bool motion_released(uint8_t channel) { return channels[channel].released; }

const int16_t *motion_value(uint8_t channel) { return channels[channel].value; }

#include "device.h"

#include <string.h>

#include "frames.h"
#include "motion.h"

#define SILENCE_MS 300
#define SILENCE_FRAMES (SILENCE_MS / 20)
#define EVENT_REPEAT 5
#define EVENTS 8
#define LOWEST_BATTERY_MV 1000
#define BATTERY_STEP_MV 100

enum type {
    HELLO = 0x01, HEARTBEAT, SET, KEYFRAMES, STOP, QUERY, EVENT_ACK, ASK_LIMITS, GLIDE, LOCK,
    HELLO_REPLY = 0x81, ACK, NACK, STATE, LIMITS_REPLY, EVENT = 0x90
};
enum reason { VERSION = 1, NO_SESSION, OUT_OF_ORDER, UNKNOWN_TYPE, MALFORMED, UNKNOWN_CHANNEL, QUEUE_FULL };
enum ack_flag { CLAMPED = 1, LOCKED = 2 };

struct event {
    uint8_t kind, index;
    uint16_t value;
};

static struct {
    struct receiver receiver;
    bool open;
    uint16_t session;
    uint8_t version; /* of the host */
    uint8_t expected;
    uint8_t last_type, last[2]; /* the answer to the last command */
    uint8_t silent;             /* frames since the last command was carried out */
    uint8_t levels, reported;   /* bits of the inputs that are active */
    uint8_t changing[INPUTS];   /* frames for which an input has differed from its level */
    bool has_levels;
    bool host_locks;
    uint16_t battery_mv, reported_mv;
    struct event events[EVENTS];
    uint8_t first_event, events_waiting, event_seq, event_pause;
} device;

static uint8_t body[MOST_BODY], wire[MOST_WIRE]; /* of the frame being sent */

static void send(uint8_t type, uint8_t seq, uint8_t payload)
{
    body[0] = type;
    body[1] = seq;
    uint8_t length = frame_write(body, payload + 2, wire);
    board_send(wire, length);
}

static uint8_t put16(uint8_t at, uint16_t value)
{
    body[at] = value & 0xFF;
    body[at + 1] = value >> 8;
    return at + 2;
}

static void send_nack(uint8_t seq, uint8_t reason, uint8_t detail)
{
    body[2] = reason;
    body[3] = detail;
    send(NACK, seq, 2);
}

static void send_hello(void)
{
    static const uint8_t version[3] = FIRMWARE_VERSION;
    uint8_t at = put16(2, device.session);
    body[at++] = device.version;
    for (uint8_t i = 0; i < 3; i++)
        body[at++] = version[i];
    at = put16(at, SILENCE_MS);
    body[at++] = QUEUE;
    body[at++] = CHANNELS;
    for (uint8_t i = 0; i < CHANNELS; i++) {
        body[at++] = LIMITS[i].kind;
        at = put16(at, (uint16_t)LIMITS[i].low);
        at = put16(at, (uint16_t)LIMITS[i].neutral);
        at = put16(at, (uint16_t)LIMITS[i].high);
        at = put16(at, LIMITS[i].fastest);
    }
    send(HELLO_REPLY, 0, at - 2);
}

static bool is_active(uint8_t kind)
{
    for (uint8_t i = 0; i < INPUTS; i++)
        if (INPUT[i].kind == kind && device.levels & 1 << i)
            return true;
    return false;
}

static void send_state(uint8_t seq)
{
    body[2] = (is_active(LID) ? 1 : 0) | (is_active(OVER_CURRENT) ? 2 : 0) | (motion_moving() ? 4 : 0) |
              (motion_held() ? 8 : 0);
    uint8_t at = put16(3, device.battery_mv);
    at = put16(at, device.receiver.broken);
    body[at++] = CHANNELS;
    for (uint8_t i = 0; i < CHANNELS; i++, at += 3)
        motion_write(i, body + at);
    send(STATE, seq, at - 2);
}

static void send_limits(uint8_t seq, uint8_t channel)
{
    const __flash struct channel_limits *limits = &LIMITS[channel];
    body[2] = channel;
    uint8_t at = put16(3, limits->acceleration);
    at = put16(at, limits->longest);
    at = put16(at, limits->rest);
    at = put16(at, limits->current);
    at = put16(at, BUDGET);
    send(LIMITS_REPLY, seq, at - 2);
}

static void answer(uint8_t seq)
{
    if (device.last_type == STATE) {
        send_state(seq);
        return;
    }
    if (device.last_type == LIMITS_REPLY) {
        send_limits(seq, device.last[0]);
        return;
    }
    body[2] = device.last[0];
    body[3] = device.last[1];
    send(device.last_type, seq, device.last_type == ACK ? 1 : 2);
}

static void refuse(uint8_t reason, uint8_t detail)
{
    device.last_type = NACK;
    device.last[0] = reason;
    device.last[1] = detail;
}

static void take_hello(const uint8_t *payload, uint8_t length)
{
    if (length != 3)
        return;
    if (payload[0] < OLDEST_VERSION || payload[0] > PROTOCOL_VERSION) {
        send_nack(0, VERSION, PROTOCOL_VERSION);
        return;
    }
    device.version = payload[0];
    if (device.version < 2)
        device.host_locks = false; /* it does not know that it could lock, so it would never unlock */
    uint16_t session = payload[1] | (uint16_t)payload[2] << 8;
    if (!device.open || session != device.session) {
        device.open = true;
        device.session = session;
        device.expected = 1;
        device.last_type = 0;
        device.silent = 0;
        device.reported = 0;
        device.reported_mv = 0;
        device.events_waiting = device.event_seq = device.event_pause = 0;
        motion_neutral();
    }
    send_hello();
}

/* Checks all entries before any of them is carried out. */
static bool entries_are_good(const uint8_t *payload, uint8_t length, uint8_t size)
{
    if (length == 0 || length % size != 0) {
        refuse(MALFORMED, 0);
        return false;
    }
    uint8_t added[CHANNELS] = {0};
    for (uint8_t at = 0; at < length; at += size) {
        uint8_t channel = payload[at];
        if (channel >= CHANNELS) {
            refuse(UNKNOWN_CHANNEL, channel);
            return false;
        }
        if (size == KEYFRAME_BYTES && payload[at + 1] > 1) {
            refuse(MALFORMED, 0);
            return false;
        }
        if (size == KEYFRAME_BYTES && !motion_has_room(channel, ++added[channel])) {
            refuse(QUEUE_FULL, channel);
            return false;
        }
    }
    return true;
}

static void take_entries(const uint8_t *payload, uint8_t length, uint8_t size)
{
    if (!entries_are_good(payload, length, size))
        return;
    for (uint8_t at = 0; at < length; at += size) {
        const uint8_t *entry = payload + at;
        bool clamped = false;
        if (motion_locked() && LIMITS[entry[0]].kind != LIGHT)
            device.last[0] |= LOCKED;
        else if (size == SETTING_BYTES)
            clamped = motion_set(entry[0], entry + 1);
        else
            clamped = motion_add(entry[0], entry[1] != 0, entry[2] | (uint16_t)entry[3] << 8, entry + 4);
        if (clamped)
            device.last[0] |= CLAMPED;
    }
}

static void ask_limits(const uint8_t *payload, uint8_t length)
{
    if (length != 1) {
        refuse(MALFORMED, 0);
    } else if (payload[0] >= CHANNELS) {
        refuse(UNKNOWN_CHANNEL, payload[0]);
    } else {
        device.last_type = LIMITS_REPLY;
        device.last[0] = payload[0];
    }
}

static void take_glides(const uint8_t *payload, uint8_t length)
{
    if (length == 0 || length % GLIDE_BYTES != 0) {
        refuse(MALFORMED, 0);
        return;
    }
    for (uint8_t at = 0; at < length; at += GLIDE_BYTES)
        if (payload[at] >= CHANNELS) {
            refuse(UNKNOWN_CHANNEL, payload[at]);
            return;
        }
    for (uint8_t at = 0; at < length; at += GLIDE_BYTES)
        motion_set_glide(payload[at], payload[at + 1] | (uint16_t)payload[at + 2] << 8);
}

static void lock_or_unlock(void)
{
    bool locks = device.host_locks || is_active(LID) || is_active(OVER_CURRENT);
    if (locks && !motion_locked()) {
        motion_lock();
    } else if (!locks && motion_locked()) {
        motion_unlock();
        if (!device.open)
            motion_neutral();
    }
}

static void take_lock(const uint8_t *payload, uint8_t length)
{
    if (length != 1 || payload[0] > 1) {
        refuse(MALFORMED, 0);
        return;
    }
    device.host_locks = payload[0] != 0;
    lock_or_unlock();
}

static void carry_out(uint8_t type, const uint8_t *payload, uint8_t length)
{
    device.last_type = ACK;
    device.last[0] = device.last[1] = 0;
    if (type == SET)
        take_entries(payload, length, SETTING_BYTES);
    else if (type == KEYFRAMES)
        take_entries(payload, length, KEYFRAME_BYTES);
    else if (type == ASK_LIMITS)
        ask_limits(payload, length);
    else if (type == GLIDE)
        take_glides(payload, length);
    else if (type == LOCK)
        take_lock(payload, length);
    else if (type == 0 || type > LOCK)
        refuse(UNKNOWN_TYPE, type);
    else if (length != 0)
        refuse(MALFORMED, 0);
    else if (type == STOP)
        motion_neutral();
    else if (type == QUERY)
        device.last_type = STATE;
}

static void take_event_ack(uint8_t seq)
{
    uint8_t oldest = device.event_seq - device.events_waiting + 1;
    if (device.open && device.events_waiting && seq == oldest) {
        device.first_event = (device.first_event + 1) % EVENTS;
        device.events_waiting--;
        device.event_pause = 0;
    }
}

static void take_frame(uint8_t type, uint8_t seq, const uint8_t *payload, uint8_t length)
{
    if (type >= 0x80)
        return;
    if (type == HELLO) {
        take_hello(payload, length);
    } else if (type == EVENT_ACK) {
        take_event_ack(seq);
    } else if (!device.open) {
        send_nack(seq, NO_SESSION, 0);
    } else if (seq == device.expected) {
        device.expected++;
        device.silent = 0;
        carry_out(type, payload, length);
        answer(seq);
    } else if (seq == (uint8_t)(device.expected - 1) && device.last_type != 0) {
        answer(seq);
    } else {
        send_nack(seq, OUT_OF_ORDER, device.expected);
    }
}

void device_start(void)
{
    memset(&device, 0, sizeof device);
    motion_start();
}

void device_take(uint8_t byte)
{
    struct receiver *receiver = &device.receiver;
    if (receiver_take(receiver, byte))
        take_frame(receiver->body[0], receiver->body[1], receiver->body + 2, receiver->length - 2);
}

static bool add_event(uint8_t kind, uint8_t index, uint16_t value)
{
    if (device.events_waiting == EVENTS)
        return false;
    device.events[(device.first_event + device.events_waiting) % EVENTS] = (struct event){kind, index, value};
    device.events_waiting++;
    device.event_seq++;
    return true;
}

static void read_inputs(const struct readings *readings)
{
    if (!device.has_levels) {
        /* Nothing may move before it is known whether it may, so these inputs count at once. */
        device.has_levels = true;
        for (uint8_t i = 0; i < INPUTS; i++)
            if (INPUT[i].kind == LID || INPUT[i].kind == OVER_CURRENT)
                device.levels |= readings->active & 1 << i;
    }
    for (uint8_t i = 0; i < INPUTS; i++) {
        uint8_t bit = 1 << i;
        if ((readings->active & bit) == (device.levels & bit)) {
            device.changing[i] = 0;
            continue;
        }
        if (++device.changing[i] >= (readings->active & bit ? INPUT[i].on_frames : INPUT[i].off_frames)) {
            device.levels ^= bit;
            device.changing[i] = 0;
        }
    }
    device.battery_mv = readings->battery_mv < LOWEST_BATTERY_MV ? 0 : readings->battery_mv;
    lock_or_unlock();
}

static void report_inputs(void)
{
    for (uint8_t i = 0; i < INPUTS; i++) {
        uint8_t bit = 1 << i;
        if ((device.levels ^ device.reported) & bit)
            if (add_event(INPUT[i].kind, INPUT[i].index, (device.levels & bit) != 0))
                device.reported ^= bit;
    }
    int32_t change = (int32_t)device.battery_mv - device.reported_mv;
    if (device.battery_mv && (change >= BATTERY_STEP_MV || -change >= BATTERY_STEP_MV))
        if (add_event(BATTERY, 0, device.battery_mv))
            device.reported_mv = device.battery_mv;
}

static void send_events(void)
{
    if (device.event_pause) {
        device.event_pause--;
        return;
    }
    if (!device.events_waiting)
        return;
    const struct event *oldest = &device.events[device.first_event];
    body[2] = oldest->kind;
    body[3] = oldest->index;
    put16(4, oldest->value);
    send(EVENT, device.event_seq - device.events_waiting + 1, 4);
    device.event_pause = EVENT_REPEAT - 1;
}

void device_frame(const struct readings *readings)
{
    read_inputs(readings);
    if (device.open && ++device.silent >= SILENCE_FRAMES) {
        device.open = false;
        motion_neutral();
    }
    if (device.open) {
        report_inputs();
        send_events();
    }
    motion_frame();
}

bool device_released(uint8_t channel) { return motion_released(channel); }

int16_t device_position(uint8_t channel) { return motion_value(channel)[0]; }

const int16_t *device_colour(uint8_t channel) { return motion_value(channel); }

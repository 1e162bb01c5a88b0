/* What is connected to this board: the channels in the hello reply, and their limits. Change it for your body.
 *
 * Arduino Uno and Nano (ATmega328P, 16 MHz):
 *   D8 to D11   servos 0 to 3        D12  the mouth's servo
 *   D5, D6      motor driver, forward and backward (two PWM inputs, such as DRV8833 or L9110)
 *   D4          WS2812 strip: STRIP_PIXELS pixels, the first half light 6, the others light 7
 *   D2, D3      buttons to ground    D7   lid switch to ground (closed: lid closed)
 *   A3          touch sensor (high: touched)
 *   A0          battery through a divider of BATTERY_DIVIDER (10k above, 3k3 below: 4)
 *   A1          motor current; OVER_CURRENT_MV or more is over-current
 */
#ifndef CHANNELS_H
#define CHANNELS_H

#include <stdint.h>

enum kind { LIGHT = 1, SERVO, MOTOR, MOUTH };

/* The tables stay in flash, because there are only 2 KB of RAM. */
#ifndef __AVR__
#define __flash
#endif

struct channel_limits {
    uint8_t kind;
    int16_t low, neutral, high;
    uint16_t fastest;       /* largest change per second */
    uint16_t acceleration;  /* largest change of speed per second; 0: no limit */
    uint16_t longest, rest; /* ms that it may run, and then has to rest; 0: no limit */
    uint16_t current;       /* mA while it runs; 0: not counted */
};

#define CHANNELS 8
static const __flash struct channel_limits LIMITS[CHANNELS] = {
    {SERVO, -900, 0, 900, 6000, 60000, 0, 0, 250},
    {SERVO, -900, 0, 900, 6000, 60000, 0, 0, 250},
    {SERVO, -300, 0, 1500, 6000, 60000, 0, 0, 250},
    {SERVO, -300, 0, 1500, 6000, 60000, 0, 0, 250},
    {MOUTH, 0, 0, 1000, 20000, 0, 0, 0, 0},
    {MOTOR, -1000, 0, 1000, 4000, 0, 20000, 5000, 600},
    {LIGHT, 0, 0, 255, 1530, 0, 0, 0, 0},
    {LIGHT, 0, 0, 255, 1530, 0, 0, 0, 0},
};
/* mA that all channels may draw together; 0: no limit. The mouth and the lights are not included: the mouth must not
 * wait, and lights have no current surges. */
#define BUDGET 1200

enum event_kind { BUTTON = 1, TOUCH, BATTERY, OVER_CURRENT, LID };

struct input {
    uint8_t kind, index;
    uint8_t on_frames, off_frames; /* frames of 20 ms that a change must last before it counts */
};

#define INPUTS 5
static const __flash struct input INPUT[INPUTS] = {
    {BUTTON, 0, 3, 3},
    {BUTTON, 1, 3, 3},
    {TOUCH, 0, 3, 3},
    {LID, 0, 3, 3},
    {OVER_CURRENT, 0, 1, 50},
};

/* Pulse of each servo and of the mouth at 0. It grows by 1000 us for 90 degrees or for a fully open mouth. */
#define SERVOS 5
static const __flash uint16_t ZERO_PULSE_US[SERVOS] = {1500, 1500, 833, 833, 1000};
#define STRIP_PIXELS 8
#define BATTERY_DIVIDER 4
#define OVER_CURRENT_MV 2500

#endif

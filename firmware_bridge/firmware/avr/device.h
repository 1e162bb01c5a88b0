/* The device of PROTOCOL.md: session, sequence, motion and events, without hardware. Portable C99, no allocation.
 * One thread: main calls device_take for each received byte, and device_frame 50 times a second. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdbool.h>
#include <stdint.h>

#include "channels.h"

#define PROTOCOL_VERSION 2
#define OLDEST_VERSION 1 /* served too: only what the device does by itself has changed since */
#define FIRMWARE_VERSION {0, 3, 0}

struct readings {
    uint8_t active;      /* bit n: INPUT[n] is active */
    uint16_t battery_mv; /* below 1000: no battery is connected */
};

/* Provided by the board: sends all of these bytes, or none. */
void board_send(const uint8_t *bytes, uint8_t length);

void device_start(void);
void device_take(uint8_t byte);
void device_frame(const struct readings *readings);

bool device_released(uint8_t channel); /* a servo or mouth that must get no pulses */
int16_t device_position(uint8_t channel);
const int16_t *device_colour(uint8_t channel); /* red, green, blue */

#endif

/* Values, keyframes and limits of all channels, in frames of 20 ms. Used by device.c alone. */
#ifndef MOTION_H
#define MOTION_H

#include <stdbool.h>
#include <stdint.h>

#include "channels.h"

#define QUEUE 4
#define KEYFRAME_BYTES 7
#define SETTING_BYTES 4
#define GLIDE_BYTES 3

void motion_start(void);
/* How fast a channel goes to neutral by itself, per second; 0: as fast as it may. */
void motion_set_glide(uint8_t channel, uint16_t fastest);
/* Heads for the neutral pose: motors and lights are there at once, the others get there within their limits. */
void motion_neutral(void);
/* Stops everything but the lights where it is. Servos and mouths hold nothing until motion_unlock. */
void motion_lock(void);
void motion_unlock(void);
bool motion_locked(void);
void motion_frame(void);
bool motion_moving(void);
/* Whether any channel waits for current or has to rest. */
bool motion_held(void);
bool motion_has_room(uint8_t channel, uint8_t keyframes);
/* Both take a value of three bytes and return whether it was clamped. */
bool motion_set(uint8_t channel, const uint8_t *value);
bool motion_add(uint8_t channel, bool smooth, uint16_t ms, const uint8_t *value);
void motion_write(uint8_t channel, uint8_t *value);
/* Whether a servo or mouth gets no pulses. */
bool motion_released(uint8_t channel);
const int16_t *motion_value(uint8_t channel);

#endif

/* Frames of PROTOCOL.md: COBS and CRC-16/IBM-3740. Portable C99; allocates nothing, uses no hardware. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define MOST_PAYLOAD 120
#define MOST_BODY (MOST_PAYLOAD + 4)
#define MOST_WIRE (MOST_BODY + 2)

struct receiver {
    uint8_t body[MOST_BODY];
    uint8_t length;  /* bytes of body so far */
    uint8_t left;    /* bytes until the next COBS code; 0: the next byte is a code */
    bool zero;       /* the next code stands for a zero as well */
    bool begun;      /* a byte has arrived since the last zero */
    bool bad;        /* the frame is broken: wait for the zero that ends it */
    uint16_t broken; /* frames that were dropped; stops at its highest value */
};

/* Takes one byte. Returns true if it ends a valid frame; body then holds length bytes of type, seq and payload. */
bool receiver_take(struct receiver *receiver, uint8_t byte);

/* Writes body (length bytes of type, seq and payload; room for 2 more) as a frame into wire; returns its length. */
uint8_t frame_write(uint8_t *body, uint8_t length, uint8_t wire[MOST_WIRE]);

uint16_t crc16(const uint8_t *bytes, uint8_t length);

#endif

#include "frames.h"

uint16_t crc16(const uint8_t *bytes, uint8_t length)
{
    uint16_t crc = 0xFFFF;
    while (length--) {
        crc ^= (uint16_t)(*bytes++ << 8);
        for (uint8_t bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? (uint16_t)(crc << 1) ^ 0x1021 : (uint16_t)(crc << 1);
    }
    return crc;
}

static void append(struct receiver *receiver, uint8_t byte)
{
    if (receiver->length == MOST_BODY)
        receiver->bad = true;
    else
        receiver->body[receiver->length++] = byte;
}

static bool ends_well(const struct receiver *receiver)
{
    uint8_t length = receiver->length;
    if (receiver->bad || receiver->left != 0 || length < 4)
        return false;
    uint16_t sent = receiver->body[length - 2] | (uint16_t)(receiver->body[length - 1] << 8);
    return crc16(receiver->body, length - 2) == sent;
}

bool receiver_take(struct receiver *receiver, uint8_t byte)
{
    if (byte == 0) {
        bool good = ends_well(receiver);
        if (good)
            receiver->length -= 2;
        else if (receiver->begun && receiver->broken != UINT16_MAX)
            receiver->broken++;
        receiver->left = 0;
        receiver->zero = receiver->begun = receiver->bad = false;
        if (!good)
            receiver->length = 0;
        return good;
    }
    if (!receiver->begun) {
        receiver->begun = true;
        receiver->length = 0;
    }
    if (receiver->bad)
        return false;
    if (receiver->left == 0) {
        if (receiver->zero)
            append(receiver, 0);
        receiver->left = byte - 1;
        receiver->zero = byte != 0xFF;
    } else {
        append(receiver, byte);
        receiver->left--;
    }
    return false;
}

uint8_t frame_write(uint8_t *body, uint8_t length, uint8_t wire[MOST_WIRE])
{
    uint16_t crc = crc16(body, length);
    body[length++] = crc & 0xFF;
    body[length++] = crc >> 8;
    /* A body is shorter than 254 bytes, so no code is ever 255. */
    uint8_t code_at = 0, at = 1;
    for (uint8_t i = 0; i < length; i++) {
        if (body[i] != 0) {
            wire[at++] = body[i];
        } else {
            wire[code_at] = at - code_at;
            code_at = at++;
        }
    }
    wire[code_at] = at - code_at;
    wire[at++] = 0;
    return at;
}

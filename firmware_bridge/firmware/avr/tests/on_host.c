/* The portable part of the firmware as a program for the host, for tests. It answers each line of input with one line:
 * the bytes that the device sent, a space, the values of all channels, and 1 for each that gets no pulses, else 0.
 *   s                 restart
 *   r HEX             bytes from the host
 *   f ACTIVE BATTERY  20 ms pass, with these inputs (decimal) */
#include <stdio.h>
#include <string.h>

#include "../device.h"

static char out[65536];

void board_send(const uint8_t *bytes, uint8_t length)
{
    while (length--)
        sprintf(out + strlen(out), "%02x", *bytes++);
}

int main(void)
{
    static char line[65536];
    while (fgets(line, sizeof line, stdin)) {
        unsigned byte, active, battery;
        out[0] = '\0';
        if (line[0] == 's') {
            device_start();
        } else if (line[0] == 'r') {
            for (const char *at = line + 2; sscanf(at, "%2x", &byte) == 1; at += 2)
                device_take((uint8_t)byte);
        } else if (sscanf(line, "f %u %u", &active, &battery) == 2) {
            device_frame(&(struct readings){(uint8_t)active, (uint16_t)battery});
        }
        printf("%s", out);
        for (uint8_t i = 0; i < CHANNELS; i++)
            for (uint8_t part = 0; part < (LIMITS[i].kind == LIGHT ? 3 : 1); part++)
                printf(" %d", device_colour(i)[part]);
        for (uint8_t i = 0; i < CHANNELS; i++)
            printf(" %d", device_released(i));
        printf("\n");
        fflush(stdout);
    }
    return 0;
}

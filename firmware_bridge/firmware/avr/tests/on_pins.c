/* Runs the firmware image in simavr and reports what its pins do, in simulated time. It answers each line of input with
 * the events that follow, one per line, and then a line with a dot:
 *   b HEX              bytes for the serial port, one after the other
 *   w MICROSECONDS     let time pass
 *   i PORT PIN LEVEL   set an input (i D 7 1)
 *   p CYCLE PORT PIN LEVEL   (answer) a pin changed
 *   u CYCLE HEX              (answer) a byte was sent */
#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <stdio.h>
#include <stdlib.h>

/* 115200 baud with eleven bits per byte: simavr accepts no faster input, and drops bytes if its queue of 64 is full. */
#define CYCLES_A_BYTE (16000000 * 11 / 115200)

static avr_t *avr;

static void on_pin(struct avr_irq_t *irq, uint32_t level, void *port)
{
    printf("p %llu %c %d %u\n", (unsigned long long)avr->cycle, *(const char *)port, irq->irq, level & 1);
}

static void on_byte(struct avr_irq_t *irq, uint32_t byte, void *unused)
{
    (void)irq, (void)unused;
    printf("u %llu %02x\n", (unsigned long long)avr->cycle, byte & 0xFF);
}

static void run(unsigned long long cycles)
{
    avr_cycle_count_t until = avr->cycle + cycles;
    while (avr->cycle < until) {
        int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed) {
            printf("x the processor stopped\n");
            exit(1);
        }
    }
}

int main(int count, char **arguments)
{
    elf_firmware_t firmware = {0};
    if (count != 2 || elf_read_firmware(arguments[1], &firmware) != 0)
        return 2;
    avr = avr_make_mcu_by_name("atmega328p");
    avr_init(avr);
    avr->frequency = 16000000;
    avr->log = LOG_NONE;
    avr_load_firmware(avr, &firmware);
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    static char ports[] = "BD";
    for (char *port = ports; *port; port++)
        for (int pin = 0; pin < 8; pin++)
            avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(*port), pin), on_pin, port);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_byte, NULL);
    avr_irq_t *receive = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);

    static char line[65536];
    unsigned driven[2] = {0}, levels[2] = {0}; /* ports D and B */
    while (fgets(line, sizeof line, stdin)) {
        unsigned byte, pin, level;
        unsigned long long us;
        char port;
        if (line[0] == 'b') {
            for (const char *at = line + 2; sscanf(at, "%2x", &byte) == 1; at += 2) {
                avr_raise_irq(receive, byte);
                run(CYCLES_A_BYTE);
            }
        } else if (sscanf(line, "w %llu", &us) == 1) {
            run(us * 16);
        } else if (sscanf(line, "i %c %u %u", &port, &pin, &level) == 3) {
            /* Every write to a port applies its pull-ups to the pins again, unless they are driven from outside. */
            unsigned mask = 1u << pin;
            driven[port == 'B'] |= mask;
            levels[port == 'B'] = (levels[port == 'B'] & ~mask) | level << pin;
            avr_ioport_external_t outside = {.name = port, .mask = driven[port == 'B'], .value = levels[port == 'B']};
            avr_ioctl(avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(port), &outside);
            avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(port), pin), level);
        }
        printf(".\n");
        fflush(stdout);
    }
    return 0;
}

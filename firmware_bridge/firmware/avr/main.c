/* The program for the ATmega328P: pins, timers, serial port. device.c handles the bytes.
 *
 * Timer 1 counts half microseconds. One compare interrupt makes all servo pulses, one after the other, and sets how far
 * the timer counts next. (QEMU 7.2 misses matches near the wrap of a free-running timer: decision 0003.) After the last
 * pulse of each 20 ms it tells the main loop to compute the next frame. In the pause that follows, the WS2812 strip is
 * sent with interrupts off for one pixel (30 us) at a time, so no pulse is disturbed and no received byte is lost.
 * Timer 0 drives the motor. Two rings of 256 bytes lie between the serial interrupts and the main loop. The watchdog
 * resets a main loop that hangs; a board that starts is in its neutral pose. The processor never sleeps, because that
 * would save only a few milliamperes, and QEMU 7.2 never wakes up from it. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>
#include <stdbool.h>
#include <stdint.h>
#include <util/atomic.h>

#include "device.h"

#define BAUD_REGISTER 16 /* 115200 baud at double speed, 2.1 % fast, as on every Uno */
#define PERIOD 40000u    /* 20 ms in half microseconds */
#define STRIP_TIME 1000u /* half microseconds for the whole strip */

#define SERVO_PINS 0x1F /* PB0 to PB4: D8 to D12 */
#define STRIP_PIN (1 << PD4)
#define MOTOR_FORWARD (1 << PD5)
#define MOTOR_BACKWARD (1 << PD6)

static volatile uint8_t received[256], sent[256];
static volatile uint8_t received_head, received_tail, sent_head, sent_tail;
static volatile bool frame_due;
static volatile uint16_t pulse[SERVOS];
static volatile uint8_t held_slots; /* bits of those that get their pulse; for the others its time passes without one */

/* The watchdog stays on after a reset that it caused, so it must be disabled before it expires again. */
static void tame_watchdog(void) __attribute__((naked, used, section(".init3")));
static void tame_watchdog(void)
{
    MCUSR = 0;
    wdt_disable();
}

ISR(TIMER1_COMPA_vect)
{
    static uint8_t slot;
    static uint16_t left = PERIOD;
    if (slot < SERVOS) {
        uint16_t now = pulse[slot];
        PORTB = (PORTB & ~SERVO_PINS) | (1 << slot & held_slots);
        OCR1A = now - 1;
        left -= now;
        slot++;
    } else {
        PORTB &= ~SERVO_PINS;
        OCR1A = left - 1;
        left = PERIOD;
        slot = 0;
        frame_due = true;
    }
}

ISR(USART_RX_vect)
{
    uint8_t byte = UDR0;
    if ((uint8_t)(received_head + 1) != received_tail)
        received[received_head++] = byte;
}

ISR(USART_UDRE_vect)
{
    if (sent_tail == sent_head)
        UCSR0B &= ~(1 << UDRIE0);
    else
        UDR0 = sent[sent_tail++];
}

void board_send(const uint8_t *bytes, uint8_t length)
{
    uint8_t room = sent_tail - sent_head - 1;
    if (length > room)
        return; /* the host repeats its command */
    uint8_t head = sent_head;
    while (length--)
        sent[head++] = *bytes++;
    sent_head = head;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { UCSR0B |= 1 << UDRIE0; }
}

/* 20 cycles a bit: high for 6 (a zero) or 13 (a one). WS2812B data sheet: 0.4 and 0.8 us, 0.15 either way. */
static inline __attribute__((always_inline)) void strip_byte(uint8_t byte)
{
    uint8_t high = PORTD | STRIP_PIN, low = PORTD & ~STRIP_PIN, bits = 8;
    asm volatile("1: out %[port], %[high]\n\t"
                 "rjmp .+0\n\t"
                 "rjmp .+0\n\t"
                 "sbrs %[byte], 7\n\t"
                 "out %[port], %[low]\n\t"
                 "lsl %[byte]\n\t"
                 "rjmp .+0\n\t"
                 "rjmp .+0\n\t"
                 "nop\n\t"
                 "out %[port], %[low]\n\t"
                 "dec %[bits]\n\t"
                 "nop\n\t"
                 "rjmp .+0\n\t"
                 "brne 1b\n\t"
                 : [byte] "+r"(byte), [bits] "+r"(bits)
                 : [port] "I"(_SFR_IO_ADDR(PORTD)), [high] "r"(high), [low] "r"(low));
}

static void show_strip(uint8_t first_light)
{
    uint16_t until_pulse;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { until_pulse = OCR1A - TCNT1; }
    if (until_pulse < STRIP_TIME)
        return; /* this frame is late: the next one will show the colours */
    for (uint8_t pixel = 0; pixel < STRIP_PIXELS; pixel++) {
        const int16_t *colour = device_colour(first_light + (pixel >= STRIP_PIXELS / 2));
        uint8_t red = colour[0], green = colour[1], blue = colour[2];
        ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
        {
            strip_byte(green);
            strip_byte(red);
            strip_byte(blue);
        }
    }
}

static void show_servo(uint8_t slot, uint8_t channel)
{
    uint8_t kind = LIMITS[channel].kind;
    int16_t value = device_position(channel);
    /* Servo: 2000 half microseconds for 900 tenths of a degree. Mouth: 2000 for 1000. Unsigned, because the compiler's
     * code for the product of a negative number skips over a return, and QEMU 7.2 hangs at that (decision 0003). */
    uint16_t size = value < 0 ? -value : value;
    uint16_t grown = kind == MOUTH ? size * 2 : size / 9 * 20 + size % 9 * 20 / 9;
    uint16_t next = 2 * ZERO_PULSE_US[slot];
    next = value < 0 ? next - grown : next + grown;
    uint8_t bit = 1 << slot;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        pulse[slot] = next;
        held_slots = device_released(channel) ? held_slots & ~bit : held_slots | bit;
    }
}

static void show_motor(int16_t value)
{
    static int16_t shown;
    if (value == shown)
        return;
    shown = value;
    uint16_t speed = value < 0 ? -value : value;
    uint8_t duty = speed * 51u / 200; /* of 255; in 16 bits for the reason given in show_servo */
    /* Connect a pin to the timer only while the motor runs: even a duty of 0 would leave a spike. */
    uint8_t outputs = 0;
    if (value > 0) {
        OCR0B = duty;
        outputs = 1 << COM0B1;
    } else if (value < 0) {
        OCR0A = duty;
        outputs = 1 << COM0A1;
    }
    TCCR0A = outputs | 1 << WGM01 | 1 << WGM00;
}

static void show(void)
{
    uint8_t slot = 0, first_light = CHANNELS;
    for (uint8_t i = 0; i < CHANNELS; i++) {
        uint8_t kind = LIMITS[i].kind;
        if (kind == MOTOR)
            show_motor(device_position(i));
        else if (kind != LIGHT)
            show_servo(slot++, i);
        else if (first_light == CHANNELS)
            first_light = i;
    }
    show_strip(first_light);
}

/* One conversion per frame, alternating between battery and motor current, so nothing waits for it. */
static void read_inputs(struct readings *readings)
{
    static bool over_current;
    static uint8_t analogue;
    uint16_t mv = (uint32_t)ADC * 5000 / 1024;
    if (analogue == 0)
        readings->battery_mv = mv * BATTERY_DIVIDER;
    else
        over_current = mv >= OVER_CURRENT_MV;
    analogue ^= 1;
    ADMUX = 1 << REFS0 | analogue;
    ADCSRA |= 1 << ADSC;

    uint8_t d = PIND;
    readings->active = (d & 1 << PD2 ? 0 : 1) | (d & 1 << PD3 ? 0 : 2) | (PINC & 1 << PC3 ? 4 : 0) |
                       (d & 1 << PD7 ? 8 : 0) | (over_current ? 16 : 0);
}

static void start_hardware(void)
{
    DDRB = SERVO_PINS;
    DDRD = STRIP_PIN | MOTOR_FORWARD | MOTOR_BACKWARD;
    PORTD = 1 << PD2 | 1 << PD3 | 1 << PD7; /* pull-ups */

    TCCR0B = 1 << CS01 | 1 << CS00; /* 976 Hz */
    OCR1A = PERIOD - 1;
    TCCR1B = 1 << WGM12 | 1 << CS11; /* half microseconds, from 0 to OCR1A repeatedly */
    TIMSK1 = 1 << OCIE1A;

    UCSR0A = 1 << U2X0;
    UBRR0 = BAUD_REGISTER;
    UCSR0B = 1 << RXEN0 | 1 << TXEN0 | 1 << RXCIE0;

    ADMUX = 1 << REFS0;
    ADCSRA = 1 << ADEN | 1 << ADSC | 1 << ADPS2 | 1 << ADPS1 | 1 << ADPS0;
    DIDR0 = 1 << ADC0D | 1 << ADC1D;
}

int main(void)
{
    struct readings readings = {0};
    device_start();
    start_hardware();
    show();
    wdt_enable(WDTO_250MS);
    sei();
    for (;;) {
        while (received_head != received_tail && !frame_due)
            device_take(received[received_tail++]);
        if (frame_due) {
            frame_due = false;
            wdt_reset();
            read_inputs(&readings);
            device_frame(&readings);
            show();
        }
    }
}

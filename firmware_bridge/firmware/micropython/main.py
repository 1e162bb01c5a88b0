"""The board's part for a Raspberry Pi Pico or an ESP32 with MicroPython: pins, PWM, lights and the serial port.

Copy this file and the folder `companion_device` to the board (`mpremote cp -r companion_device main.py :`). The link is
UART `UART_ID` at 115200 baud, for example through a USB adapter. Change the tables for your body. One thread; frames
are 20 ms by the board's millisecond counter. The watchdog resets a loop that hangs, and a board that starts is in its
neutral pose.
"""

import time

import machine
import neopixel
from companion_device.device import BUTTON, LID, OVER_CURRENT, TOUCH, Device
from companion_device.motion import LIGHT, MOTOR, MOUTH, SERVO

UART_ID, TX, RX = 0, 0, 1
CHANNELS = (
    (SERVO, -900, 0, 900, 6000),
    (SERVO, -900, 0, 900, 6000),
    (SERVO, -300, 0, 1500, 6000),
    (SERVO, -300, 0, 1500, 6000),
    (MOUTH, 0, 0, 1000, 20000),
    (MOTOR, -1000, 0, 1000, 4000),
    (LIGHT, 0, 0, 255, 1530),
    (LIGHT, 0, 0, 255, 1530),
)
SERVO_PINS = (2, 3, 4, 5, 6)
ZERO_PULSE_US = (1500, 1500, 833, 833, 1000)
MOTOR_PINS = (7, 8)
STRIP_PIN, STRIP_PIXELS = 9, 8
INPUTS = ((BUTTON, 0, 3, 3), (BUTTON, 1, 3, 3), (TOUCH, 0, 3, 3), (LID, 0, 3, 3), (OVER_CURRENT, 0, 1, 50))
INPUT_PINS = ((10, 0), (11, 0), (12, 1), (13, 1), (14, 0))
"""Pin, and its level when the input is not at rest. The motor driver's fault output is low when there is too much."""


def pwm(pin, frequency):
    output = machine.PWM(machine.Pin(pin))
    output.freq(frequency)
    output.duty_u16(0)
    return output


def show(device, servos, motor, strip):
    slot = pixel = 0
    lights = sum(1 for channel in device.channels if channel.kind == LIGHT)
    for channel in device.channels:
        value = channel.value[0]
        if channel.kind in (SERVO, MOUTH):
            grown = value if channel.kind == MOUTH else value * 10 // 9
            servos[slot].duty_ns((ZERO_PULSE_US[slot] + grown) * 1000)
            slot += 1
        elif channel.kind == MOTOR:
            motor[0].duty_u16(max(value, 0) * 65535 // 1000)
            motor[1].duty_u16(max(-value, 0) * 65535 // 1000)
        else:
            for _ in range(STRIP_PIXELS // lights):
                strip[pixel] = tuple(channel.value)
                pixel += 1
    strip.write()


def main():
    uart = machine.UART(UART_ID, 115200, tx=machine.Pin(TX), rx=machine.Pin(RX), rxbuf=512, txbuf=512)
    servos = [pwm(pin, 50) for pin in SERVO_PINS]
    motor = [pwm(pin, 20_000) for pin in MOTOR_PINS]
    strip = neopixel.NeoPixel(machine.Pin(STRIP_PIN), STRIP_PIXELS)
    # A touch sensor drives its pin; all others are switches to ground.
    pulls = [None if one[0] == TOUCH else machine.Pin.PULL_UP for one in INPUTS]
    pins = [machine.Pin(pin, machine.Pin.IN, pull) for (pin, _), pull in zip(INPUT_PINS, pulls)]
    device = Device(CHANNELS, INPUTS, uart.write)
    watchdog = machine.WDT(timeout=1000)
    due = time.ticks_ms()
    while True:
        data = uart.read(uart.any()) if uart.any() else None
        if data:
            device.take(data)
        if time.ticks_diff(time.ticks_ms(), due) >= 0:
            due = time.ticks_add(due, 20)
            watchdog.feed()
            device.frame([pin.value() == level for pin, (_, level) in zip(pins, INPUT_PINS)])
            show(device, servos, motor, strip)
        time.sleep_ms(1)


main()

"""The program for a Raspberry Pi Pico or an ESP32 with MicroPython: pins, PWM, lights and the serial port.

Copy `companion_device`, `board.py` and this file to the board: `mpremote cp -r companion_device board.py main.py :`.
The link is UART `UART_ID` at 115200 baud, for example through a USB adapter. The pins are defined here and the channels
in `board.py`; change them for your body. There is one thread, and frames of 20 ms are timed by the board's millisecond
counter. The watchdog resets a loop that hangs, and a board that starts is in its neutral pose.
"""

import time

import machine
import neopixel
from board import BUDGET_MA, CHANNELS, INPUTS
from companion_device.device import TOUCH, Device
from companion_device.motion import LIGHT, MOTOR, MOUTH, SERVO

UART_ID, TX, RX = 0, 0, 1
SERVO_PINS = (2, 3, 4, 5, 6)
ZERO_PULSE_US = (1500, 1500, 833, 833, 1000)
MOTOR_PINS = (7, 8)
STRIP_PIN, STRIP_PIXELS = 9, 8
INPUT_PINS = ((10, 0), (11, 0), (12, 1), (13, 1), (14, 0))
"""Pin, and its level when the input is active. The motor driver's fault output is low on over-current."""


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
            servos[slot].duty_ns(0 if channel.released else (ZERO_PULSE_US[slot] + grown) * 1000)
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
    device = Device(CHANNELS, INPUTS, uart.write, BUDGET_MA)
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

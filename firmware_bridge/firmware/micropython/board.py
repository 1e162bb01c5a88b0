"""What is connected to this board: the channels with their limits, and the inputs. Change it for your body."""

from companion_device.device import BUTTON, LID, OVER_CURRENT, TOUCH  # type: ignore[import-not-found]  # a board's own path
from companion_device.motion import LIGHT, MOTOR, MOUTH, SERVO  # type: ignore[import-not-found]

# Kind, low, neutral, high, fastest a second, acceleration a second, longest run ms, rest after it ms, current mA.
CHANNELS = (
    (SERVO, -900, 0, 900, 6000, 60000, 0, 0, 250),
    (SERVO, -900, 0, 900, 6000, 60000, 0, 0, 250),
    (SERVO, -300, 0, 1500, 6000, 60000, 0, 0, 250),
    (SERVO, -300, 0, 1500, 6000, 60000, 0, 0, 250),
    (MOUTH, 0, 0, 1000, 20000, 0, 0, 0, 0),
    (MOTOR, -1000, 0, 1000, 4000, 0, 20000, 5000, 600),
    (LIGHT, 0, 0, 255, 1530, 0, 0, 0, 0),
    (LIGHT, 0, 0, 255, 1530, 0, 0, 0, 0),
)
BUDGET_MA = 1200
"""The current that all of them may draw together; the mouth and the lights are not included."""

# Kind, index, frames of 20 ms that a change must last: to become active, to become inactive.
INPUTS = ((BUTTON, 0, 3, 3), (BUTTON, 1, 3, 3), (TOUCH, 0, 3, 3), (LID, 0, 3, 3), (OVER_CURRENT, 0, 1, 50))

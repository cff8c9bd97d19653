"""Colours, lines, markers and hatches that stay apart for the colour-blind and on a black and white print.

Source of the colours: Okabe and Ito, Color Universal Design (2008). No figure tells anything by colour alone.
"""

from typing import Final

BLACK: Final = "#000000"
ORANGE: Final = "#e69f00"
SKY_BLUE: Final = "#56b4e9"
GREEN: Final = "#009e73"
YELLOW: Final = "#f0e442"
BLUE: Final = "#0072b2"
VERMILLION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
OKABE_ITO: Final = (BLACK, ORANGE, SKY_BLUE, GREEN, YELLOW, BLUE, VERMILLION, PURPLE)

WHITE: Final = "#ffffff"
DARK_GREY: Final = "#555555"
GREY: Final = "#999999"
LIGHT_GREY: Final = "#dddddd"
NEUTRAL: Final = (WHITE, DARK_GREY, GREY, LIGHT_GREY)

LINE_COLOURS: Final = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY_BLUE)
"""For lines of participants; black is the median's, yellow is too pale for a thin line."""
MARKERS: Final = ("o", "s", "^", "v", "X", "P", "<", ">")
LINE_STYLES: Final = ("solid", "dashed", "dashdot", "dotted")

GRADE_COLOURS: Final = {1: SKY_BLUE, 2: YELLOW, 3: ORANGE, 4: VERMILLION, 5: BLACK, None: WHITE}
"""CTCAE grades; None is a grade that nobody gave."""
GRADE_HATCHES: Final = {1: "", 2: "---", 3: "////", 4: "xxxx", 5: "", None: ""}


def on_grade(grade: int | None) -> str:
    """The colour of a number that is written on a grade's."""
    return WHITE if grade == 5 else BLACK

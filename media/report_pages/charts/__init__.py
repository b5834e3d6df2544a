"""Charts as SVG that the server writes: no script, no inline style, the same on screen and paper.

Places across are in percent and sizes upwards in pixels, so that a chart takes the width that there
is without stretching its text. What is told by colour is told by a pattern, too.
"""

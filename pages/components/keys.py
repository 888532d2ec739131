"""The keys of widgets and containers that tests and tools rely on; Streamlit renders each as a class `st-key-…`."""

NETWORK_PICKER = "network_picker"
DRAW_CANVAS = "draw_canvas"
DRAW_READING = "draw_reading"
LIVE_READING = "live_reading"
LIVE_STATUS = "live_status"

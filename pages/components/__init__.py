"""What pages share: caches, state keys, the network picker, empty states, the canvas, readings."""

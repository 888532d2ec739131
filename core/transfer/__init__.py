"""Teaching new letters from a handful: letters sets, new output layers, fine-tuning, prototypes, honest validation."""

METHODS = ("finetune", "head", "prototypes")  # how letters are taught; known without torch

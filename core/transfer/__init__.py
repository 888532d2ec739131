"""Teaching new letters from a handful: letters sets, new output layers, fine-tuning, prototypes, honest validation."""

# How letters are taught, known without torch. The first three are what the design promises.
METHODS = ("finetune", "head", "prototypes", "top", "scratch", "neighbours")
KEPT = ("finetune", "head", "prototypes", "top", "scratch")  # what they make can be kept as a network of the store

"""Teaching new letters from a handful: letters sets, new output layers, fine-tuning, prototypes, honest validation."""

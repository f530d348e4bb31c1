"""The parts of the product. None imports another: they speak through `contracts`."""

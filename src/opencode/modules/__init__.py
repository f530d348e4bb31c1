"""The parts of the product. Siblings of one shape; none imports another."""

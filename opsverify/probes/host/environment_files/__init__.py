"""What files of variables mean: one module for each program that reads them, each with that program's own grammar."""

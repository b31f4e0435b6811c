"""What grading is made of, one part after the other."""

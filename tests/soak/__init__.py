"""What only time and repetition show: long streams over many changes, and where the memory goes."""

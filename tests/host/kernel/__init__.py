"""The worker and its two kernels, spoken to as the supervisor does."""

"""Staff enter what a caller answers, in the same questionnaire that patients fill in."""

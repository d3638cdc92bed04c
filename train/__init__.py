"""Training and evaluating recognizers, and studies of what data buys."""

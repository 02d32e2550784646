"""What a user's code is (`Task`, `SupervisedTask`), how it is found, and how a trial of it runs."""

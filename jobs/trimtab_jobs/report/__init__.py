"""What a run found, for people: figures, the verdict, and one self-contained page."""

"""The person's side: the command `trimtab`."""

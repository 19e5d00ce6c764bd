"""What docs/deploy.md says, run with the programs it speaks of."""

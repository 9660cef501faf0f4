"""Learning the sequence transformer: windows of histories in, a served member out."""

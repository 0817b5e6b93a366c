"""Who holds which slot value, and who is busy: the service that stage 2 looks partners up in."""

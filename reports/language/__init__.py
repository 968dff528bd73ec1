"""Other languages than English: what the pages say is looked up where it is laid out."""

"""What a run starts from: settings as people give them, and the inputs they resolve to."""

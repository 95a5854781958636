"""What people want of the AI agent, how sure, quick and costly it is, and how often it needs a human."""

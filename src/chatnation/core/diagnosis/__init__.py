"""What `chatnation doctor` looks at. Every check gives findings and changes nothing."""

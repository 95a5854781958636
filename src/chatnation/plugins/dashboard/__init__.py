"""Layout, navigation, setup and the pages about the instance itself."""

"""`mattermost-plugin pack`: makes the archive of a plugin that a server takes."""

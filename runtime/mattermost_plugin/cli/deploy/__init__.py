"""`mattermost-plugin deploy`: uploads a plugin to a server, and sees it run there."""

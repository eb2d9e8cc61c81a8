"""`mattermost-plugin dev`: plugins on a development host, restarted when their files change."""

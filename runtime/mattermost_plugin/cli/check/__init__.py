"""`mattermost-plugin check`: tells what a server would refuse or leave out, before it is asked."""

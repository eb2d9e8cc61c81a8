"""What a server does with its state: the rules, and which hooks are called when. API methods and users share it."""

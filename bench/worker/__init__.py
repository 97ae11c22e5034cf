"""One child process: started, asked, answered."""

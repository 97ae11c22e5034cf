"""What a worker can be asked, a module for each job."""

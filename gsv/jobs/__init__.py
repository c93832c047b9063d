"""Every stage of the work as a managed process: started, watched, stopped and believed in one way."""

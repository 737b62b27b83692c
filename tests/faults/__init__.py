"""What must survive: lost replies, dead processes, full disks, hostile input."""

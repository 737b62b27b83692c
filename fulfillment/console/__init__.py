"""The staff's desks: one page per station, worked by scan, and the desks of those who look after it all."""

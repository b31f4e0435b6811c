// i was absent

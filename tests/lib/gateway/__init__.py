"""The gateway in this process, in front of a vendor on a real socket."""

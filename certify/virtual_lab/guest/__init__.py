"""What runs inside the guest: its first process, its agent, and the bring-up of the lab."""

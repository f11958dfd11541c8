"""What else the processes of a gateway share: who is there, the pace of trunks, what callers said on their way."""

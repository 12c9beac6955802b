"""The people's list at 1,878 and at 187,800 people, ours and the stock admin's."""

"""The safety processor: reads every commit, tells the safety desk what an officer must see, and forgets nothing."""

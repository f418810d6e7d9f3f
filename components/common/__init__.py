"""Building blocks that every area uses: keys, buckets, policies, alarms, functions."""

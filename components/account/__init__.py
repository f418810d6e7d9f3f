"""The account's baseline: records, detectors, guard rails for roles."""

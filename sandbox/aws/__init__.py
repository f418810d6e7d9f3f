"""The resource types of AWS that the platform uses, as data (`types/`) and an interpreter of it."""
